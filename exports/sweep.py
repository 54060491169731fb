"""What the scheduler repeats: every promise that a dead process left behind is kept from the rows.

Each pass is safe to run twice, at the same time, and at any moment: each move checks its row again under
the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from redis.exceptions import RedisError

from exports import dispatch, files, lifecycle, mail
from exports.cleaning import clean
from exports.exceptions import ExportError
from exports.models import ExportJob, ExportJobQuerySet, tallies
from exports.states import CancelReason, Status

log = structlog.get_logger(__name__)
RING_AGAIN_AFTER = timedelta(seconds=10)
BATCH = 500  # rows a step and pass; the next pass goes on


@dataclass
class Swept:
    """How many jobs, or files, each step of a pass dealt with."""

    without_access: int = 0
    overlong: int = 0
    abandoned: int = 0
    forgotten: int = 0
    past_retention: int = 0
    unreachable: int = 0
    cleaned: int = 0
    orphans: int = 0
    letters: int = 0

    def any(self) -> bool:
        return any(asdict(self).values())


def sweep() -> Swept:
    """One pass."""
    jobs = ExportJob.objects.all()
    limit, silence = settings.EXPORT_TIMEOUT, settings.EXPORT_HEARTBEAT_TIMEOUT
    swept = Swept(
        without_access=_each(jobs.without_access(), _cancel),
        overlong=_each(jobs.overlong(limit), lambda job_id: lifecycle.cancel_overlong(job_id, limit)),
        abandoned=_each(jobs.abandoned(silence), lambda job_id: lifecycle.requeue(job_id, silence)),
        forgotten=_ring_again(jobs.forgotten(RING_AGAIN_AFTER)),
        past_retention=_each(jobs.past_retention(), lambda job_id: _expire(job_id, "retention")),
        unreachable=_each(jobs.unreachable(), lambda job_id: _expire(job_id, "project_removed")),
        cleaned=_each(jobs.uncleaned(), clean),
        orphans=_remove_orphans(),
        letters=mail.post(),
    )
    tallies.add_up()
    if swept.any():
        log.info("swept", **asdict(swept))
    return swept


def _each(jobs: ExportJobQuerySet, act: Callable[[UUID], object]) -> int:
    """Act on each; one that has moved on meanwhile is left alone."""
    done = 0
    for job_id in _ids(jobs):
        try:
            act(job_id)
            done += 1
        except (ExportError, ObjectDoesNotExist) as reason:
            log.info("left_alone", job=str(job_id), reason=str(reason))
    return done


def _ids(jobs: ExportJobQuerySet) -> Iterable[UUID]:
    return list(jobs.order_by("created_at").values_list("pk", flat=True)[:BATCH])


def _cancel(job_id: UUID) -> None:
    lifecycle.cancel(job_id, lifecycle.SCHEDULER, CancelReason.SYSTEM)


def _expire(job_id: UUID, reason: str) -> None:
    lifecycle.expire(job_id, reason, lifecycle.SCHEDULER)


def _ring_again(jobs: ExportJobQuerySet) -> int:
    """Ring for those that RQ does not know of (any more); a long queue is no reason to."""
    try:
        waiting = dispatch.waiting()
    except RedisError as error:
        log.warning("redis_away", error=repr(error))
        return 0
    rung = jobs.order_by("created_at").values_list("pk", "dispatch")[:BATCH]
    unknown = [job_id for job_id, number in rung if dispatch.dispatch_id(job_id, number) not in waiting]
    return _each(ExportJob.objects.filter(pk__in=unknown), lifecycle.ring_again)


def orphans() -> list[Path]:
    """Files of no live attempt, and archives that no row names.

    The rows are read after the folder: whatever was published before is named by its row, or belongs to
    an attempt that is still under way.
    """
    found = list(files.present())
    live = ExportJob.objects.filter(status__in=(Status.PROCESSING, Status.COMPLETED))
    owners = set(live.filter(pk__in={job_id for job_id, _, _ in found}).values_list("pk", "attempt"))
    return [path for job_id, attempt, path in found if (job_id, attempt) not in owners]


def _remove_orphans() -> int:
    found = orphans()
    freed = sum(files.remove(path) for path in found)
    if found:
        tallies.note_orphans(len(found), freed)
    return len(found)
