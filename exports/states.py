"""The states of an export, and which move leads from one to another.

                ┌──────────── requeued ◄───────────┐
                ▼                                  │
    request ─ pending ──claim──► processing ───complete───► completed ──expire──► expired
                │                    ├──────fail──────► failed   │
                │                    │                           │ until the first download
                └───────cancel───────┴────────cancel─────────────┴──► cancelled

`lifecycle` makes the moves; the triggers in `rules` refuse every other one, raw SQL included.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    PENDING = "pending", _("Waiting for a worker")
    PROCESSING = "processing", _("Building the archive")
    COMPLETED = "completed", _("Ready to download")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("File removed")


class CancelReason(models.TextChoices):
    USER = "user_cancelled", _("Cancelled by the user")
    TIMEOUT = "timeout", _("Took longer than allowed")
    SYSTEM = "system_cancelled", _("Cancelled by the system")


ACTIVE = (Status.PENDING, Status.PROCESSING)
ENDED = (Status.FAILED, Status.CANCELLED, Status.EXPIRED)

# Tuples, not sets: they are written into migrations, whose text must not change from run to run.
ALLOWED: dict[Status, tuple[Status, ...]] = {
    Status.PENDING: (Status.PROCESSING, Status.CANCELLED, Status.FAILED),
    Status.PROCESSING: (Status.PENDING, Status.COMPLETED, Status.FAILED, Status.CANCELLED),
    Status.COMPLETED: (Status.CANCELLED, Status.EXPIRED),
    Status.FAILED: (),
    Status.CANCELLED: (),
    Status.EXPIRED: (),
}
