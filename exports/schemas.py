"""How a job looks from outside: the one shape for answers, snapshots and pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from exports.models import ExportJob
from exports.states import Status


class Outward(BaseModel):
    """Keys in camelCase; absent values are null, never missing."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_serialization_defaults_required=True,
    )

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


class Warning(Outward):
    code: str
    message: str
    image: str | None = Field(default=None, description="The name of the image it is about.")


class JobView(Outward):
    job_id: UUID
    project_id: UUID
    project_name: str
    user_id: int
    status: Status
    progress: float = Field(ge=0, le=100, description="Percent; never falls within an attempt.")
    stage: str | None
    stage_done: int
    stage_total: int
    message: str | None
    version: int
    attempt: int
    queue_position: int | None = Field(description="1 is next; null unless pending.")
    estimated_remaining: int | None = Field(description="Seconds.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    failed_at: datetime | None
    cancelled_at: datetime | None
    expires_at: datetime | None
    options: dict[str, Any]
    warnings: list[Warning]
    export_size: int | None = Field(description="Bytes.")
    sha256: str | None
    processing_time: int | None = Field(description="Milliseconds.")
    download_url: str | None = Field(description="Only while completed.")
    download_count: int
    auto_download_claimed: bool
    cancel_reason: str | None
    cleanup_completed: bool
    error: str | None
    error_code: str | None
    retryable: bool | None
    retry_of: UUID | None

    @classmethod
    def of(cls, job: ExportJob) -> JobView:
        same = {name: getattr(job, name) for name in cls.model_fields if name in _SAME}
        return cls(
            job_id=job.pk,
            stage=job.stage or None,
            message=job.message or None,
            warnings=[Warning(**warning) for warning in job.warnings],
            export_size=job.file_size,
            download_url=download_url(job),
            cleanup_completed=job.cleaned_at is not None,
            retry_of=job.retry_of_id,
            **same,
        )


# The fields that the row has under the same name.
_SAME = {
    "project_id", "project_name", "user_id", "status", "progress", "stage_done", "stage_total", "version",
    "attempt", "queue_position", "estimated_remaining", "created_at", "started_at", "completed_at",
    "failed_at", "cancelled_at", "expires_at", "options", "sha256", "processing_time", "download_count",
    "auto_download_claimed", "cancel_reason", "error", "error_code", "retryable",
}  # fmt: skip


def download_url(job: ExportJob) -> str | None:
    """The address of the file, only while there is one."""
    return reverse("api:download_export", args=[job.project_id, job.pk]) if job.is_downloadable else None
