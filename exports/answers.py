"""What the API answers with, beyond the job itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from pydantic.alias_generators import to_camel

from exports.admission import MAX_NAME
from exports.archive.formats import PARTS, Format
from exports.models import Transition
from exports.options import ExportOptions
from exports.schemas import JobView, Outward
from exports.states import Status


class EstimateBody(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    # Shown in the documentation, judged by `options.parse` alone, which names what is wrong.
    options: SkipValidation[ExportOptions] | None = None

    @property
    def raw_options(self) -> object:
        """As they came; none are the defaults."""
        return {} if self.options is None else self.options


class StartBody(EstimateBody):
    project_name: str | None = Field(
        default=None, max_length=MAX_NAME, description="The name of the archive."
    )


class Started(Outward):
    success: bool = True
    job_id: UUID
    message: str
    deduplicated: bool = Field(description="Whether an earlier request had led to this job already.")
    job: JobView


class Cancelled(Outward):
    success: bool = True
    message: str
    job: JobView


class AutoDownload(Outward):
    download_url: str


class TokenView(Outward):
    token: str
    url: str
    expires_at: datetime


class History(Outward):
    jobs: list[JobView]
    next_cursor: str | None


class TransitionView(Outward):
    sequence: int
    from_status: Status | None = Field(description="Null for the first.")
    to_status: Status
    reason: str
    actor: str = Field(description="`user:<id>`, `worker`, `scheduler` or `system`.")
    attempt: int
    at: datetime
    detail: dict[str, Any]

    @classmethod
    def of(cls, row: Transition) -> TransitionView:
        same = {name: getattr(row, name) for name in cls.model_fields if name != "from_status"}
        return cls(from_status=row.from_status or None, **same)


class Audit(Outward):
    transitions: list[TransitionView]


class FormatView(Outward):
    kind: str = Field(description="`images`, `annotations` or `metrics`.")
    id: str = Field(description="Unique within its kind.")
    title: str
    description: str
    files: list[str] = Field(description="Paths in the archive; <stem> and <name> stand for an image's.")
    cannot_hold: list[str]

    @classmethod
    def of(cls, part: Format) -> FormatView:
        return cls(
            kind=part.kind,
            id=part.id,
            title=part.title,
            description=part.description,
            files=list(part.files),
            cannot_hold=list(part.losses),
        )


class Catalogue(Outward):
    formats: list[FormatView]
    options_schema: dict[str, Any] = Field(description="The JSON Schema of `options`.")

    @classmethod
    def now(cls) -> Catalogue:
        schema = ExportOptions.model_json_schema(by_alias=True)
        return cls(formats=[FormatView.of(part) for part in PARTS], options_schema=schema)
