"""Telling people by e-mail that an export has ended. The scheduler sends, from the rows; no worker waits for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import Error as DatabaseFault
from django.db import connections
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from config.mailing import NOWHERE
from exports import handover, wording
from exports.exceptions import Busy
from exports.models import ExportJob, Letter, letters
from exports.states import Status

log = structlog.get_logger(__name__)
BATCH = 100  # letters a round

_round: threading.Thread | None = None


def is_offered() -> bool:
    """Whether this hub can send e-mail at all."""
    return settings.EMAIL_BACKEND != NOWHERE


def post() -> int:
    """Begin to send what is due; how many letters that is. The caller does not wait for the mail server."""
    global _round
    if not is_offered() or (_round and _round.is_alive()):
        return 0
    jobs = list(letters.due()[:BATCH])
    if jobs:
        _round = threading.Thread(target=_deliver_beside, args=(jobs,), name="postman", daemon=True)
        _round.start()
    return len(jobs)


def finish() -> None:
    """Wait for what `post` began."""
    if _round:
        _round.join()


def deliver(jobs: Sequence[ExportJob]) -> None:
    """One letter after the other. After a failure the rest is left to the next round, its tries uncounted."""
    server = get_connection()
    try:
        for job in jobs:
            if Letter.take_try(job) and not _is_over(server, job):
                break
    finally:
        with suppress(OSError):
            server.close()


def written(job: ExportJob) -> EmailMessage:
    """The letter in its reader's language: what a page says of the export, and where that page is."""
    preferences = job.user.export_preferences
    with translation.override(preferences.language or settings.LANGUAGE_CODE):
        project = " ".join(job.project_name.split())  # in a subject a line break would be an attack
        facts = {
            "job": job,
            "project": project,
            "failure": " ".join(filter(None, wording.failure(job))),
            "link": f"{settings.SITE_URL}{job.project.get_absolute_url()}#export-{job.pk}",
            "choices": f"{settings.SITE_URL}{reverse('exports:settings')}",
        }
        return EmailMessage(
            subject=_subject(job, project),
            body=render_to_string(f"exports/mail/{job.status}.txt", facts),
            to=[job.user.email],
            headers=_headers(job),
        )


def _deliver_beside(jobs: Sequence[ExportJob]) -> None:
    try:
        deliver(jobs)
    except DatabaseFault as error:
        log.warning("letters_not_sent", error=str(error))
    finally:
        connections.close_all()


def _is_over(server: Any, job: ExportJob) -> bool:
    """Whether this letter needs no more thought: it was sent, or is not to be any more."""
    try:
        server.open()
        with handover.alone(job.pk):
            untold = letters.still_untold(job.pk)
            if untold is None:
                return True
            server.send_messages([written(untold)])
            Letter.objects.filter(pk=job.pk).update(sent_at=Now())
    except (
        OSError,
        ValueError,
        Busy,
    ) as error:  # SMTP's errors are OSErrors, those of an address ValueErrors
        log.warning("letter_not_sent", job=str(job.pk), error=repr(error))
        return False
    log.info("letter_sent", job=str(job.pk), told=untold.status)
    return True


def _subject(job: ExportJob, project: str) -> str:
    # What looks encoded a mail program would decode, line breaks and all: the invisible joiner keeps it a text.
    project = project.replace("=?", "=\N{WORD JOINER}?")
    if job.status == Status.COMPLETED:
        return _("The export of %(project)s is ready") % {"project": project}
    return _("The export of %(project)s failed") % {"project": project}


def _headers(job: ExportJob) -> dict[str, str]:
    """With an id of its own, so that a mail program shows one that comes twice once."""
    host = urlsplit(settings.SITE_URL).hostname
    return {"Message-ID": f"<{job.pk.hex}@{host}>", "Auto-Submitted": "auto-generated"}
