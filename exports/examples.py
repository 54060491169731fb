"""Examples for the API's document: made of the models that the answers are made of, so that they cannot lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from exports.answers import (
    Audit,
    AutoDownload,
    Cancelled,
    Catalogue,
    EstimateBody,
    FormatView,
    History,
    StartBody,
    Started,
    TokenView,
    TransitionView,
)
from exports.api_stream import Current
from exports.archive.formats import PARTS
from exports.choices_answers import PreferencesBody, PreferencesView, PresetBody, PresetList, PresetView
from exports.estimate import Estimate
from exports.options import ExportOptions
from exports.schemas import JobView, Warning
from exports.states import Status
from projects.api import ImageIds, ImagePage, ImageView, ProjectPage, ProjectView

PROJECT_ID = UUID("0b9f6a52-6f0e-4f59-9d0c-6e2f3a1b7c41")
IMAGE_ID = UUID("5d0c2f6e-8a41-4b7d-b0a3-91f2c4de7a10")
JOB_ID = UUID("c1c9a4de-3a53-4f6f-8f0d-2b4de5f60718")
PRESET_ID = UUID("7e2a9b60-41d5-4c1e-a9a6-03f7d8c2b511")
NOON = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
TOKEN = "WzcsImMxYzlhNGRlIl0:1w0XyZ:4x9Yk2"  # noqa: S105  # nosec B105  # opens nothing
CHOICE = ExportOptions(annotation_formats=["coco"], metrics_formats=["csv"])

PENDING = JobView(
    job_id=JOB_ID,
    project_id=PROJECT_ID,
    project_name="Nuclei",
    user_id=7,
    status=Status.PENDING,
    progress=0,
    stage=None,
    stage_done=0,
    stage_total=0,
    message=None,
    version=1,
    attempt=0,
    queue_position=1,
    estimated_remaining=None,
    created_at=NOON,
    started_at=None,
    completed_at=None,
    failed_at=None,
    cancelled_at=None,
    expires_at=None,
    options=CHOICE.as_json(),
    warnings=[],
    export_size=None,
    sha256=None,
    processing_time=None,
    download_url=None,
    download_count=0,
    auto_download_claimed=False,
    cancel_reason=None,
    cleanup_completed=False,
    error=None,
    error_code=None,
    retryable=None,
    retry_of=None,
)
DOWNLOAD_URL = f"/api/projects/{PROJECT_ID}/export/{JOB_ID}/download"
COMPLETED = PENDING.model_copy(
    update={
        "status": Status.COMPLETED,
        "progress": 100.0,
        "stage": "publishing",
        "version": 9,
        "attempt": 1,
        "queue_position": None,
        "started_at": NOON + timedelta(seconds=1),
        "completed_at": NOON + timedelta(seconds=8),
        "expires_at": NOON + timedelta(days=7, seconds=8),
        "warnings": [Warning(code="holes", message="YOLO cannot hold holes.", image="a.png")],
        "export_size": 48_213_007,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "processing_time": 7_012,
        "download_url": DOWNLOAD_URL,
    }
)
CANCELLED = PENDING.model_copy(
    update={
        "status": Status.CANCELLED,
        "version": 2,
        "queue_position": None,
        "cancelled_at": NOON + timedelta(seconds=2),
        "cancel_reason": "user_cancelled",
    }
)
PROJECT = ProjectView(
    id=PROJECT_ID, name="Nuclei", description="", owner_id=7, created_at=NOON, images=1, objects=42,
    exportable=True,
)  # fmt: skip
IMAGE = ImageView(
    id=IMAGE_ID, name="a.png", width=1024, height=768, bytes=912_344, objects=42, pixel_size=0.5,
    created_at=NOON,
)  # fmt: skip
MOVE = TransitionView(
    sequence=1, from_status=None, to_status=Status.PENDING, reason="requested", actor="user:7", attempt=0,
    at=NOON, detail={},
)  # fmt: skip
PRESET = PresetView(
    id=PRESET_ID, name="For COCO", shared=False, mine=True, changeable=True, by="demo",
    options=CHOICE.as_json(), changed_at=NOON,
)  # fmt: skip

_ALL: tuple[BaseModel, ...] = (
    PENDING,
    PROJECT,
    ProjectPage(projects=[PROJECT], next_cursor=None),
    ImagePage(images=[IMAGE], total=1, next_cursor=None),
    ImageIds(ids=[IMAGE_ID]),
    StartBody(options=CHOICE, project_name="Nuclei, for the paper"),
    EstimateBody(options=CHOICE),
    Started(job_id=JOB_ID, message="The export was started.", deduplicated=False, job=PENDING),
    Estimate(
        images=1,
        objects=42,
        estimated_bytes=48_000_000,
        estimated_seconds=7,
        free_bytes=10**11,
        warnings=COMPLETED.warnings,
    ),
    History(jobs=[COMPLETED, CANCELLED], next_cursor=None),
    Current(jobs=[PENDING]),
    Cancelled(message="The export was cancelled.", job=CANCELLED),
    AutoDownload(download_url=DOWNLOAD_URL),
    TokenView(token=TOKEN, url=f"{DOWNLOAD_URL}?token={TOKEN}", expires_at=NOON + timedelta(minutes=10)),
    Audit(transitions=[MOVE]),
    Catalogue(formats=[FormatView.of(PARTS[0])], options_schema=Catalogue.now().options_schema),
    PresetBody(name="For COCO", shared=False, options=CHOICE),
    PRESET,
    PresetList(presets=[PRESET]),
    PreferencesBody(download_when_ready=True),
    PreferencesView(
        download_when_ready=True, mail_when_ended=False, mail_address="demo@example.org", language=""
    ),
)
EXAMPLES: dict[str, BaseModel] = {type(each).__name__: each for each in _ALL}
EXAMPLES["JobView"] = COMPLETED
