"""A job's row under its lock: read, saved and audited. Used by `lifecycle` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from exports import exceptions
from exports.models import ExportJob, Transition


@contextmanager
def locked(job_id: UUID) -> Iterator[tuple[ExportJob, datetime]]:
    """The row under its lock, and the database's time. Raise ExportJob.DoesNotExist or Busy."""
    with waiting_briefly(), transaction.atomic(durable=True):
        # no_key: inserting an audit row that points here must not wait for this lock.
        job = ExportJob.objects.select_for_update(no_key=True).get(pk=job_id)
        yield job, clock()


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


def record(job: ExportJob, source: str, reason: str, by: str, now: datetime) -> None:
    Transition.objects.create(
        job=job,
        sequence=job.sequence,
        from_status=source,
        to_status=job.status,
        reason=reason,
        actor=by,
        attempt=job.attempt,
        at=now,
        detail={"version": job.version},
    )
