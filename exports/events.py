"""Typed events with a version, announced after the commit that they report.

They are hints: a lost one costs seconds, because every socket re-reads versions. A client that has seen
version n of a job ignores anything about it with a version up to n.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from pydantic import Field

from exports.models import ExportJob
from exports.publishing import publish
from exports.schemas import Outward, Warning, download_url
from exports.states import Status


class Event(Outward):
    """What every event says."""

    type: str
    version: int
    job_id: UUID
    project_id: UUID
    user_id: int
    at: datetime

    @classmethod
    def of(cls, job: ExportJob, **told: Any) -> Event:
        """The event that reports the row as it is now, with what the row does not say."""
        own = {
            name: told[name] if name in told else _read(job, name)
            for name in cls.model_fields
            if name != "type"
        }
        return cls(type=cls.model_fields["type"].default, **own)


class Queued(Event):
    type: Literal["export:queued"] = "export:queued"
    queue_position: int | None
    options: dict[str, Any]


class Started(Event):
    type: Literal["export:started"] = "export:started"
    started_at: datetime
    attempt: int
    estimated_duration: int | None = Field(description="Seconds, from recent exports; null without any.")


class Progress(Event):
    """At most four a second for a job."""

    type: Literal["export:progress"] = "export:progress"
    progress: float = Field(description="Percent; never falls within an attempt.")
    stage: str
    stage_done: int
    stage_total: int
    message: str
    estimated_remaining: int | None = Field(description="Seconds.")


class Completed(Event):
    type: Literal["export:completed"] = "export:completed"
    completed_at: datetime
    processing_time: int | None = Field(description="Milliseconds.")
    export_size: int = Field(description="Bytes.")
    sha256: str
    download_url: str
    warnings: list[Warning]


class Failed(Event):
    type: Literal["export:failed"] = "export:failed"
    failed_at: datetime
    error: str
    error_code: str
    retryable: bool


class Cancelled(Event):
    """Only `export:cleanup:completed` follows it."""

    type: Literal["export:cancelled"] = "export:cancelled"
    cancelled_at: datetime
    reason: str
    cleanup_completed: bool


class CleanupCompleted(Event):
    type: Literal["export:cleanup:completed"] = "export:cleanup:completed"
    cleaned_at: datetime
    bytes_freed: int


class Requeued(Event):
    type: Literal["export:requeued"] = "export:requeued"
    attempt: int
    reason: str


class Downloaded(Event):
    type: Literal["export:downloaded"] = "export:downloaded"
    download_count: int


class Expired(Event):
    type: Literal["export:expired"] = "export:expired"
    expired_at: datetime


EVENTS: tuple[type[Event], ...] = (
    Queued, Started, Progress, Completed, Failed, Cancelled, CleanupCompleted, Requeued, Downloaded, Expired,
)  # fmt: skip

_BY_TYPE: dict[str, type[Event]] = {event.model_fields["type"].default: event for event in EVENTS}

# What a socket says of a job whose last event it missed.
_CURRENT: dict[str, type[Event]] = {
    Status.PENDING: Queued,
    Status.PROCESSING: Progress,
    Status.COMPLETED: Completed,
    Status.FAILED: Failed,
    Status.CANCELLED: Cancelled,
    Status.EXPIRED: Expired,
}


def current(job: ExportJob) -> Event:
    """The event that tells somebody who missed the last ones where the job is."""
    return _CURRENT[job.status].of(job)


def read(payload: object) -> Event:
    """The event of a payload as `as_json` makes it. Raise ValueError."""
    match payload:
        case {"type": str(kind)} if kind in _BY_TYPE:
            return _BY_TYPE[kind].model_validate(payload)
    raise ValueError("not an event")


def group_of(user_id: int) -> str:
    """Who hears of the user's own exports."""
    return f"user.{user_id}"


def owner_group_of(user_id: int) -> str:
    """Who hears of the exports that others make of the user's projects."""
    return f"owner.{user_id}"


def announce(kind: type[Event], job: ExportJob, **told: Any) -> None:
    """Tell the sockets of the user, and of the project's owner, once the transaction has committed.

    `told` is what the row, as it then is, does not say. A failure to tell never reaches the caller.
    """
    transaction.on_commit(lambda: _publish(kind.of(job, **told), job), robust=True)


def _publish(event: Event, job: ExportJob) -> None:
    payload = event.as_json()
    publish(group_of(job.user_id), payload)
    owner_id = job.project.owner_id
    if owner_id != job.user_id:
        publish(owner_group_of(owner_id), payload)


def _read(job: ExportJob, name: str) -> Any:
    match name:
        case "job_id":
            return job.pk
        case "at":
            return job.changed_at
        case "export_size":
            return job.file_size
        case "download_url":
            return download_url(job)
        case "cleanup_completed":
            return job.cleaned_at is not None
        case "reason":
            return job.cancel_reason
    return getattr(job, name)
