"""`manage.py settle_restored`: what has to be done once after PostgreSQL was restored from a backup.

Since the backup, exports may have been cancelled, and their users told so: the restored rows do not know. So whatever
could have been cancelled is ended, before it can complete or be fetched again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports import files, lifecycle
from exports.exceptions import ExportError
from exports.models import ExportJob
from exports.states import CancelReason, Status
from exports.sweep import sweep

QUESTION = "This cancels every active export and removes every archive not downloaded yet. Go on? [y/N] "


class Command(BaseCommand):
    help = "After PostgreSQL was restored: end every export that may have been cancelled since the backup."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["no_input"] and input(QUESTION).strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")
        active = ExportJob.objects.active().values_list("pk", flat=True)
        completed = ExportJob.objects.filter(status=Status.COMPLETED)
        unfetched = completed.filter(download_count=0).values_list("pk", flat=True)
        done = {
            "cancelled": _each(active, _cancel),
            "not downloaded yet and removed": _each(unfetched, _remove),
            "without their file": _each(_without_file(), _forget),
        }
        sweep()
        self.stdout.write("Exports " + ", ".join(f"{what}: {count}" for what, count in done.items()) + ".")


def _each(job_ids: Iterable[UUID], act: Callable[[UUID], object]) -> int:
    """One that cannot be ended is named by its error; the command can be run again."""
    found = list(job_ids)
    for job_id in found:
        try:
            act(job_id)
        except ExportError as error:
            raise CommandError(f"Export {job_id}: {error} Run this again.") from error
    return len(found)


def _without_file() -> Iterable[UUID]:
    """Downloaded before the backup, and their archive was lost or has been removed since."""
    for job_id, name in ExportJob.objects.filter(status=Status.COMPLETED).values_list("pk", "file_name"):
        try:
            files.open_published(name or "").close()
        except FileNotFoundError:
            yield job_id


def _cancel(job_id: UUID) -> None:
    lifecycle.cancel(job_id, lifecycle.SYSTEM, CancelReason.SYSTEM)


def _remove(job_id: UUID) -> None:
    lifecycle.expire(job_id, "restored", lifecycle.SYSTEM)


def _forget(job_id: UUID) -> None:
    lifecycle.expire(job_id, "file_missing", lifecycle.SYSTEM)
