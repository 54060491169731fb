"""What one card says of its export, beyond the fields of its row."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exports import wording
from exports.models import ExportJob, Transition
from projects.models import Visitor
from projects.templatetags.wording import grouped, in_time

DAY = 24 * 3600

register = template.Library()
register.filter("stage_words", wording.stage)
register.filter("failure_words", wording.failure)
register.filter("warning_words", wording.warning)
register.filter("moment_words", wording.moment)
register.filter("refusal_words", wording.refusal)


@register.filter
def in_percent(progress: float) -> str:
    """Rounded down: 100 only when it is done."""
    return str(int(progress))


@register.filter
def seconds_taken(job: ExportJob) -> float | None:
    return None if job.processing_time is None else job.processing_time / 1000


@register.filter
def story(job: ExportJob) -> list[Transition]:
    """What `cards.shown_to` read of its audit, in order."""
    return sorted(_moments(job), key=lambda moment: moment.sequence)


@register.filter
def untold(job: ExportJob) -> int:
    """How many entries of its audit the story leaves out."""
    return job.sequence - len(_moments(job))


@register.filter
def ending(job: ExportJob) -> Transition | None:
    """The move that made it what it is."""
    moves = [each for each in _moments(job) if each.to_status == job.status != each.from_status]
    return moves[-1] if moves else None


@register.filter
def by_whom(moment: Transition, reader: Visitor) -> str:
    """Empty when no person did it."""
    if moment.actor == f"user:{reader.pk}":
        return _("by you")
    name = getattr(moment, "actor_name", None)
    return _("by %(name)s") % {"name": name} if name else ""


@register.filter
def time_left(end: datetime) -> str:
    seconds = (end - timezone.now()).total_seconds()
    if seconds < 1.5 * DAY:
        return _("%(time)s left") % {"time": in_time(max(0, seconds))}
    days = round(seconds / DAY)
    return ngettext("%(number)s day left", "%(number)s days left", days) % {"number": grouped(days)}


@register.filter
def times_downloaded(count: int) -> str:
    """Said in the same words by `downloadWords` in words.js."""
    if not count:
        return _("not yet")
    return ngettext("once", "%(number)s times", count) % {"number": grouped(count)}


def _moments(job: ExportJob) -> list[Transition]:
    return getattr(job, "moments", [])
