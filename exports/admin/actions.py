"""What an administrator may have done to exports, each by the code that everybody else's wish goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exports import admission, lifecycle, refusals
from exports.cleaning import clean
from exports.exceptions import (
    ExportError,
    ExportNotAllowed,
    IllegalMove,
    StillActive,
    TooManyActiveExports,
)
from exports.models import ExportJob
from exports.states import ENDED, CancelReason, Status
from projects.templatetags.wording import in_file_size


@dataclass(frozen=True)
class Order:
    """What was asked for, once, of any number of exports."""

    by: str
    """The actor of the audit."""
    number: UUID
    """Made with the page of confirmation: the same page sent twice is the same order."""
    explanation: str


@dataclass(frozen=True)
class Done:
    sentence: str
    led_to: UUID | None = None
    """Another export, to look at."""


@dataclass(frozen=True)
class Action:
    name: str
    label: Promise
    question: Promise
    button: Promise
    obstacle: Callable[[ExportJob], str]
    """Why it would be refused, by the row as it was read; empty when it would not."""
    act: Callable[[ExportJob, Order], Done]
    """Raise ExportError."""
    asks_why: bool = False

    @property
    def permission(self) -> str:
        return f"exports.{self.name}_exportjob"


def _cannot_cancel(job: ExportJob) -> str:
    try:
        refusals.refuse_cancel(job)
    except ExportError as refusal:
        return refusal.sentence
    return gettext("This export is cancelled already.") if job.status == Status.CANCELLED else ""


def _cancel(job: ExportJob, order: Order) -> Done:
    lifecycle.cancel(job.pk, order.by, CancelReason.SYSTEM, explanation=order.explanation)
    if job.status == Status.CANCELLED:
        return Done(gettext("Was cancelled before."))
    return Done(gettext("Cancelled."))


def _cannot_retry(job: ExportJob) -> str:
    if job.is_active:
        return StillActive().sentence
    may_repeat = getattr(job, "may_repeat", True) and job.user.is_active
    return "" if may_repeat else _no_longer_allowed()


def _retry(job: ExportJob, order: Order) -> Done:
    key = f"admin-{order.number}-{job.pk}"
    try:
        again, is_new = admission.retry(job.user, job, idempotency_key=key, asked_by=order.by)
    except (Http404, ExportNotAllowed) as refusal:
        raise ExportNotAllowed(_no_longer_allowed()) from refusal
    except TooManyActiveExports as refusal:
        raise TooManyActiveExports(gettext("Its user has as many exports running as they may.")) from refusal
    sentence = gettext("Started again.") if is_new else gettext("Was started again before.")
    return Done(sentence, led_to=again.pk)


def _no_longer_allowed() -> str:
    return gettext("Its user may no longer export this project.")


def _cannot_expire(job: ExportJob) -> str:
    if job.is_active:
        return StillActive().sentence
    return "" if job.status == Status.COMPLETED else gettext("This export has no file.")


def _expire(job: ExportJob, order: Order) -> Done:
    try:
        lifecycle.expire(job.pk, "deleted", order.by)
    except IllegalMove as refusal:
        raise IllegalMove(gettext("This export has no file.")) from refusal
    return Done(gettext("File deleted."))


def _cannot_clean(job: ExportJob) -> str:
    return (
        "" if job.status in ENDED else gettext("Only an export that has ended without a file is cleaned up.")
    )


def _clean(job: ExportJob, order: Order) -> Done:
    clean(job.pk, order.by)
    row = ExportJob.objects.only("status", "cleaned_at", "bytes_freed").get(pk=job.pk)
    if row.status not in ENDED:
        raise IllegalMove(_cannot_clean(row))
    if row.cleaned_at is None:
        raise IllegalMove(gettext("Something of it is still in use. It is removed as soon as that ends."))
    freed = {"size": in_file_size(row.bytes_freed)}
    return Done(gettext("Nothing of it is left on disk; %(size)s freed.") % freed)


ACTIONS = {
    action.name: action
    for action in (
        Action(
            "cancel",
            _("Cancel"),
            _("Cancel these exports? A cancelled export never completes, and its file is removed."),
            _("Cancel the exports"),
            _cannot_cancel,
            _cancel,
            asks_why=True,
        ),
        Action(
            "retry",
            _("Try again"),
            _("Start these exports again? Each becomes a new export of its own user, with the same options."),
            _("Start again"),
            _cannot_retry,
            _retry,
        ),
        Action(
            "expire",
            _("Delete the file"),
            _("Delete the files of these exports? Nobody can download them afterwards."),
            _("Delete the files"),
            _cannot_expire,
            _expire,
        ),
        Action(
            "clean",
            _("Clean up"),
            _("Remove what these exports may have left on disk?"),
            _("Clean up"),
            _cannot_clean,
            _clean,
        ),
    )
}
