"""A job's row under its lock: read, saved and audited. Used by `lifecycle` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from exports import crashpoints, exceptions
from exports.models import ExportJob, Transition

log = structlog.get_logger(__name__)


@contextmanager
def locked(job_id: UUID) -> Iterator[tuple[ExportJob, datetime]]:
    """The row under its lock, and the database's time. Raise ExportJob.DoesNotExist or Busy."""
    with waiting_briefly(), transaction.atomic(durable=True):
        # no_key: inserting an audit row that points here must not wait for this lock.
        job = ExportJob.objects.select_for_update(no_key=True).get(pk=job_id)
        transaction.on_commit(lambda: crashpoints.reach(f"{job.status}.committed"), robust=True)
        yield job, clock()
    crashpoints.reach(f"{job.status}.told")


@contextmanager
def answering(job_id: UUID, by: str, question: str) -> Iterator[tuple[ExportJob, datetime]]:
    """As `locked`. A Refusal raised inside is put into the audit as `<question>_refused`, then goes on."""
    refused: exceptions.Refusal | None = None
    with locked(job_id) as (job, now):
        try:
            yield job, now
        except exceptions.Refusal as refusal:
            refused = refusal
            note(job, f"{question}_refused", by, now, code=refusal.code)
    if refused:
        raise refused


@contextmanager
def waiting_briefly() -> Iterator[None]:
    """Turn the database's lock timeout into Busy: an answer that promises nothing."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise exceptions.Busy from error
        raise


def clock() -> datetime:
    """The database's time now, not at the transaction's start: the lock may have been waited for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0])


def save(job: ExportJob, now: datetime) -> None:
    """The whole row, which only its lock makes safe."""
    job.version += 1
    job.changed_at = now
    job.save(force_update=True)


def change(job: ExportJob, source: str, reason: str, by: str, now: datetime, **detail: object) -> None:
    """Save the row as it is now, and its audit row: from `source` to its status."""
    job.sequence += 1
    save(job, now)
    record(job, source, reason, by, now, **detail)


def note(job: ExportJob, reason: str, by: str, now: datetime, **detail: object) -> None:
    """An audit row of what changed nothing: there is no new version, and nobody is told."""
    job.sequence += 1
    job.save(update_fields=["sequence"])
    record(job, job.status, reason, by, now, **detail)


def record(job: ExportJob, source: str, reason: str, by: str, now: datetime, **detail: object) -> None:
    transition = Transition.objects.create(
        job=job,
        sequence=job.sequence,
        from_status=source,
        to_status=job.status,
        reason=reason,
        actor=by,
        attempt=job.attempt,
        at=now,
        detail={"version": job.version, **detail},
    )
    _log_after_commit(transition, project=str(job.project_id), user=job.user_id)
    crashpoints.reach(f"{job.status}.recorded")


def _log_after_commit(made: Transition, **whose: object) -> None:
    """One line for each audit row that came to be; what was rolled back never happened."""
    facts = {
        "job": str(made.job_id),
        "attempt": made.attempt,
        "from": made.from_status,
        "to": made.to_status,
        "reason": made.reason,
        "actor": made.actor,
        "row_version": made.detail["version"],
    }
    transaction.on_commit(lambda: log.info("transition", **facts, **whose), robust=True)
