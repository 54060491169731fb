"""The life of an export. Nothing else writes `ExportJob.status`.

`states` has the picture and the table. Each move takes an id, locks that row, checks the move and the
attempt, writes the row and one audit row, and commits; events and the bell follow the commit.
Locks are taken in one order: the user (for limits), then the job. Only the database's clock counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from exports import crashpoints, dispatch, events, exceptions, handover, intake, refusals, rows, snapshot
from exports.messages import Advance, Failure, PublishedFile, Request
from exports.models import ExportJob
from exports.states import ACTIVE, ALLOWED, ENDED, CancelReason, Status

WORKER, SCHEDULER, SYSTEM = "worker", "scheduler", "system"


def actor(user: User) -> str:
    return f"user:{user.pk}"


def request(wanted: Request) -> tuple[ExportJob, bool]:
    """The job for this request, and whether it is a new one.

    Raise IdempotencyKeyReused or TooManyActiveExports. The user's row is locked, so that a user's
    requests follow one another: what is counted here still holds at the commit.
    """
    with rows.waiting_briefly(), transaction.atomic(durable=True):
        transaction.on_commit(lambda: crashpoints.reach("pending.committed"), robust=True)
        User.objects.select_for_update(no_key=True).get(pk=wanted.user_id)
        earlier = intake.same_request(wanted)
        if earlier:
            return earlier, False
        mine = ExportJob.objects.active().filter(user_id=wanted.user_id)
        if mine.count() >= settings.EXPORT_MAX_ACTIVE_PER_USER:
            raise exceptions.TooManyActiveExports
        job = intake.create(wanted)
        rows.record(job, "", "requested", wanted.asked_by or f"user:{wanted.user_id}", job.created_at)
        events.announce(events.Queued, job)
        dispatch.ring_after_commit(job.pk, job.dispatch)
    crashpoints.reach("pending.told")
    return job, True


def claim(job_id: UUID) -> ExportJob:
    """Start an attempt: the returned row's `attempt` is its fencing token.

    The project is listed in the same transaction, by one statement: that moment is what is exported.
    Raise IllegalMove when the job is not waiting (any more).
    """
    with _moving(job_id, Status.PROCESSING, "claimed", WORKER) as (job, now):
        job.attempt += 1
        job.started_at = job.heartbeat_at = now
        job.progress, job.stage, job.message = 0, "preparing", "Listing the images"
        job.stage_done = job.stage_total = 0
        job.warnings = []
        job.image_count = snapshot.record(job, now)
        events.announce(events.Started, job)
    return job


# Heartbeat, progress and the check for a cancel are one statement; greatest() keeps progress from falling.
_BEAT = """
    UPDATE exports_exportjob SET
        version = version + 1, heartbeat_at = clock_timestamp(), changed_at = clock_timestamp(),
        progress = greatest(progress, %s), stage = %s, stage_done = %s, stage_total = %s, message = %s
    WHERE id = %s AND attempt = %s AND status = 'processing'
    RETURNING id, project_id, user_id, status, version, attempt, progress, stage, stage_done, stage_total,
        message, started_at, changed_at
"""


def beat(job_id: UUID, attempt: int, advance: Advance) -> None:
    """Say that this attempt lives and how far it is. Raise LostClaim when it is no longer its job."""
    shown = (min(advance.progress, 100), advance.stage, advance.done, advance.total, advance.message)
    beaten = list(ExportJob.objects.raw(_BEAT, (*shown, job_id, attempt)))
    if not beaten:
        raise exceptions.LostClaim
    events.announce(events.Progress, beaten[0])


def complete(job_id: UUID, attempt: int, file: PublishedFile, warnings: list[dict[str, Any]]) -> ExportJob:
    """Raise LostClaim when the job is no longer this attempt's to finish; the file is then garbage."""
    with _moving(job_id, Status.COMPLETED, "built", WORKER, attempt) as (job, now):
        job.file_name, job.file_size, job.sha256 = file.name, file.size, file.sha256
        job.warnings = warnings
        job.completed_at, job.expires_at = now, now + settings.EXPORT_RETENTION
        job.heartbeat_at = None
        job.progress, job.stage, job.message = 100, "done", ""
        events.announce(events.Completed, job)
    return job


def fail(job_id: UUID, attempt: int, failure: Failure) -> ExportJob:
    """Raise LostClaim when the job is no longer this attempt's."""
    with _moving(job_id, Status.FAILED, failure.code, WORKER, attempt) as (job, now):
        _set_failed(job, failure, now)
        dispatch.clean_after_commit(job.pk, job.attempt)
    return job


def cancel(job_id: UUID, by: str, reason: CancelReason = CancelReason.USER, **detail: object) -> ExportJob:
    """Cancelled at this commit, for ever; stopping the process and removing its files follow.

    `detail` goes into the audit.

    A cancelled job is returned as it is. Raise AlreadyDownloaded, AlreadyFailed or AlreadyExpired when
    there is nothing left to cancel, and Busy when the row's lock could not be had, or a letter about a
    completed one is just being handed over: that is no answer.
    """
    with rows.answering(job_id, by, "cancel") as (job, now):
        was_active = job.is_active
        if job.status != Status.CANCELLED:
            refusals.refuse_cancel(job)
            _cancel(job, now, by, reason, **detail)
    if not was_active:
        handover.wait_for_none(job_id)
    return job


def cancel_overlong(job_id: UUID, limit: timedelta) -> ExportJob:
    """Cancel an attempt that has run for longer than `limit`. Raise IllegalMove when it has not."""
    with rows.locked(job_id) as (job, now):
        if job.status != Status.PROCESSING or job.started_at is None or now - job.started_at < limit:
            raise exceptions.IllegalMove
        _cancel(job, now, SCHEDULER, CancelReason.TIMEOUT)
    return job


def requeue(job_id: UUID, silent_for: timedelta) -> ExportJob:
    """Take a job from an attempt that was not heard of for `silent_for`; fail it after the last attempt.

    Raise IllegalMove when it was heard of since, or is not under way.
    """
    with rows.locked(job_id) as (job, now):
        if job.status != Status.PROCESSING or job.heartbeat_at is None or now - job.heartbeat_at < silent_for:
            raise exceptions.IllegalMove
        job.losses += 1
        dispatch.stop_after_commit(job.pk, job.dispatch)
        if job.losses >= settings.EXPORT_MAX_ATTEMPTS:
            _set_failed(job, _worker_lost(job.losses), now)
            _move(job, Status.FAILED, "worker_lost", SCHEDULER, now)
            dispatch.clean_after_commit(job.pk, job.attempt)
        else:
            _set_waiting(job, now, "worker_lost")
            _move(job, Status.PENDING, "worker_lost", SCHEDULER, now)
    return job


def give_back(job_id: UUID, attempt: int) -> ExportJob:
    """Return a job because its worker was told to stop; the attempt is not charged. Raise LostClaim."""
    with _moving(job_id, Status.PENDING, "worker_stopping", WORKER, attempt) as (job, now):
        _set_waiting(job, now, "worker_stopping")
    return job


def ring_again(job_id: UUID) -> ExportJob:
    """Ring for a job that nobody came for. Raise IllegalMove when somebody did."""
    with rows.locked(job_id) as (job, now):
        if job.status != Status.PENDING:
            raise exceptions.IllegalMove
        job.dispatch += 1
        job.rung_at = now
        rows.save(job, now)
        dispatch.ring_after_commit(job.pk, job.dispatch)
    return job


def expire(job_id: UUID, reason: str, by: str) -> ExportJob:
    """Forget a completed job's file, then remove it. Raise StillActive or, when it has none, IllegalMove."""
    with rows.locked(job_id) as (job, now):
        if job.status in ACTIVE:
            raise exceptions.StillActive
        if job.status != Status.COMPLETED:
            raise exceptions.IllegalMove
        _forget_file(job)
        job.expired_at = now
        _move(job, Status.EXPIRED, reason, by, now)
        events.announce(events.Expired, job)
        dispatch.clean_here_after_commit(job.pk)
    return job


def record_cleanup(job_id: UUID, bytes_freed: int, by: str = SYSTEM) -> ExportJob:
    """Note that nothing of an ended job is left on disk; saying so twice changes nothing."""
    with rows.locked(job_id) as (job, now):
        if job.status not in ENDED:
            raise exceptions.IllegalMove
        if job.cleaned_at is None:
            job.cleaned_at, job.bytes_freed = now, bytes_freed
            rows.change(job, job.status, "cleaned", by, now)
            events.announce(events.CleanupCompleted, job)
    return job


@contextmanager
def _moving(
    job_id: UUID, target: Status, reason: str, by: str, attempt: int | None = None
) -> Iterator[tuple[ExportJob, datetime]]:
    """The locked row and the time, for the caller to fill in; the move and its audit row follow."""
    with rows.locked(job_id) as (job, now):
        if attempt is not None and (job.attempt, job.status) != (attempt, Status.PROCESSING):
            raise exceptions.LostClaim
        if target not in ALLOWED[Status(job.status)]:
            raise exceptions.IllegalMove(f"An export that is {job.status} cannot become {target}.")
        yield job, now
        _move(job, target, reason, by, now)


def _move(job: ExportJob, target: Status, reason: str, by: str, now: datetime, **detail: object) -> None:
    source, job.status = job.status, target
    rows.change(job, source, reason, by, now, **detail)


def _cancel(job: ExportJob, now: datetime, by: str, reason: CancelReason, **detail: object) -> None:
    was_completed = job.status == Status.COMPLETED
    _forget_file(job)
    job.completed_at = job.heartbeat_at = None
    job.cancelled_at, job.cancel_reason = now, reason
    if not job.attempt:
        job.cleaned_at, job.bytes_freed = now, 0
    _move(job, Status.CANCELLED, reason, by, now, **detail)
    events.announce(events.Cancelled, job)
    if was_completed:
        dispatch.clean_here_after_commit(job.pk)
    elif job.attempt:
        dispatch.stop_after_commit(job.pk, job.dispatch)
        dispatch.clean_after_commit(job.pk, job.attempt)


def _forget_file(job: ExportJob) -> None:
    job.file_name = job.file_size = job.sha256 = job.expires_at = None


def _set_waiting(job: ExportJob, now: datetime, reason: str) -> None:
    job.started_at = job.heartbeat_at = None
    job.progress, job.stage, job.message = 0, "", "Waiting for another worker"
    job.stage_done = job.stage_total = 0
    job.dispatch += 1
    job.rung_at = now
    events.announce(events.Requeued, job, reason=reason)
    dispatch.ring_after_commit(job.pk, job.dispatch)


def _set_failed(job: ExportJob, failure: Failure, now: datetime) -> None:
    job.failed_at, job.heartbeat_at = now, None
    job.error, job.error_code, job.retryable = failure.sentence[:500], failure.code, failure.retryable
    events.announce(events.Failed, job)


def _worker_lost(attempts: int) -> Failure:
    return Failure(
        code="worker_lost",
        sentence=f"The worker building this export was lost {attempts} times. Try again, or select fewer images.",
        retryable=True,
    )
