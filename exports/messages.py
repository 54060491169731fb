"""What callers say to the lifecycle: requests, reports of progress, results."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from exports.options import ExportOptions


@dataclass(frozen=True)
class Request:
    """What somebody asked for; `admission` has checked that they may."""

    user_id: int
    project_id: UUID
    project_name: str
    options: ExportOptions
    digest: str
    """SHA-256 of the whole request, for its Idempotency-Key."""
    image_count: int
    idempotency_key: str | None = None
    retry_of: UUID | None = None
    asked_by: str = ""
    """The actor of the audit, where it is not the user."""


@dataclass(frozen=True)
class PublishedFile:
    """An archive at its final place: flushed to disk, hashed."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Advance:
    """How far an attempt has come."""

    progress: float
    stage: str
    done: int
    total: int
    message: str


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed, in words for the user."""

    code: str
    sentence: str
    retryable: bool
