"""What rows say in codes, in the reader's words. The sentences of a worker are stored in English."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from exports import exceptions
from exports.models import ExportJob, Transition
from exports.states import CancelReason, Status
from projects.templatetags.wording import grouped

Message = str | Promise

_STAGES = {
    "preparing": _("Listing the images"),
    "finishing": _("Writing tables and annotations"),
    "publishing": _("Checking the archive"),
}

FAILURES = {
    "build_failed": _(
        "Something went wrong while the archive was built. Try again; if it fails again, tell us its number."
    ),
    "insufficient_storage": _("The disk is full. Try again later, or select fewer images."),
    "nothing_exported": _(
        "None of the images could be exported. Check that their files are whole and upload them again."
    ),
    "worker_lost": _("Its worker was lost too often. Try again, or select fewer images."),
}

_WARNINGS = {
    "image_missing": _("The image is no longer in the hub."),
    "image_unreadable": _("The file of this image could not be read."),
    "damaged_objects": _("The outlines of this image are damaged."),
    "outlines_repaired": _("Outlines cross or overlap themselves, or have no area."),
}

_MOMENTS = {
    "requested": _("Asked for"),
    "claimed": _("A worker began to build it"),
    "worker_lost": _("Its worker was lost: back to the queue"),
    "worker_stopping": _("Its worker was told to stop: back to the queue"),
    "built": _("Ready to download"),
    "auto_download_claimed": _("The automatic download was granted"),
    "downloaded": _("Downloaded"),
    "range_downloaded": _("A part of the file was downloaded"),
    "cancel_refused": _("A cancel was refused"),
    "download_refused": _("A download was refused"),
    "user_cancelled": _("Cancelled"),
    "timeout": _("Cancelled: it took longer than allowed"),
    "system_cancelled": _("Cancelled by the system"),
    "retention": _("File removed: its time was over"),
    "deleted": _("File deleted"),
    "project_removed": _("File removed with the project"),
    "file_missing": _("The file was missing or had been changed"),
    "restored": _("File removed: the hub was restored from a backup"),
    "cleaned": _("Nothing of it is left on disk"),
}

_REFUSALS = {kind.code: kind for kind in exceptions.Refusal.__subclasses__()}


class Sentence(NamedTuple):
    words: str
    """In the reader's language; empty where the English says it all."""
    english: str
    """What was stored; empty where it adds nothing."""


def stage(job: ExportJob) -> str:
    """What is being done; the worker's own words for a stage that is not known here."""
    if job.stage == "images" and job.stage_total:
        numbers = {"done": grouped(job.stage_done), "total": grouped(job.stage_total)}
        return gettext("Image %(done)s of %(total)s") % numbers
    return str(_STAGES.get(job.stage, job.message))


def failure(job: ExportJob) -> Sentence:
    return _sentence(FAILURES.get(job.error_code or ""), job.error or "")


def warning(stored: dict[str, str]) -> Sentence:
    return _sentence(_WARNINGS.get(stored.get("code", "")), stored.get("message", ""))


def moment(row: Transition) -> str:
    """What the audit tells in one of its rows."""
    if row.reason == "claimed" and row.attempt > 1:
        return gettext("A worker began anew, attempt %(number)s") % {"number": row.attempt}
    if row.to_status == Status.FAILED and row.from_status != Status.FAILED:
        return gettext("Failed")
    if row.reason == CancelReason.SYSTEM and row.detail.get("explanation"):
        words = {"explanation": row.detail["explanation"]}
        return gettext("Cancelled by an administrator: %(explanation)s") % words
    return str(_MOMENTS.get(row.reason, row.reason))


def refusal(row: Transition) -> str:
    """Why what the row tells of was refused; empty of anything else."""
    found = _REFUSALS.get(row.detail.get("code", ""))
    return gettext(found.__doc__ or "") if found else ""


def _sentence(known: Message | None, stored: str) -> Sentence:
    """What is stored knows more than a translation does: it follows where it says something else."""
    with override(None):
        english = str(known or "")
    words = str(known or "")
    if words == english:
        return Sentence("", stored)
    return Sentence(words, "" if stored == english else stored)
