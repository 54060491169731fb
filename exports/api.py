"""Exports over HTTP: parse, scope, call, answer. Every look-up of a job starts from `visible_to`."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from ninja import Header, Query, Router, Status
from ninja.security import APIKeyQuery

from config.authentication import EXPORTING, READING
from config.openapi import parameter, told
from config.requests import ApiRequest, CursorText, page, position_of
from exports import admission, asyncapi, downloads, exceptions, grants, lifecycle, refusals, tokens
from exports.answers import (
    Audit,
    AutoDownload,
    Cancelled,
    Catalogue,
    EstimateBody,
    History,
    StartBody,
    Started,
    TokenView,
    TransitionView,
)
from exports.estimate import Estimate
from exports.models import ExportJob, ExportJobQuerySet
from exports.schemas import JobView, download_url
from projects.models import Project

router = Router(by_alias=True)
EXPORTS = "/projects/{uuid:project_id}/export"
JOB = f"{EXPORTS}/{{uuid:job_id}}"
Limit = Annotated[int, Query(ge=1, le=200, description="Jobs a page.")]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", pattern=f"^[!-~]{{1,{admission.MAX_KEY}}}$")
]
FILE = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
OF_FILE = ("Accept-Ranges", "Content-Disposition", "Digest", "ETag", "Repr-Digest")
START_REFUSALS = (
    exceptions.ExportNotAllowed,
    exceptions.InvalidOptions,
    exceptions.NothingToExport,
    exceptions.InsufficientStorage,
    exceptions.TooManyActiveExports,
)
FILE_REFUSALS = (
    exceptions.ExportNotAllowed,
    exceptions.NotCompleted,
    exceptions.Failed,
    exceptions.Cancelled,
    exceptions.Expired,
)
STARTED = {202: ("Location", "Retry-After"), 200: ("Location",)}
DOWNLOADED = {200: (*OF_FILE, "Content-Length"), 206: (*OF_FILE, "Content-Length", "Content-Range")}
DOWNLOAD = told(
    *FILE_REFUSALS,
    exceptions.RangeNotSatisfiable,
    headers=DOWNLOADED | {304: OF_FILE, 416: ("Content-Range",)},
    parameters=[
        parameter("Range", "One range of bytes: 206. Anything else gives the whole file."),
        parameter("If-Range", "The `ETag` of the file that the range is of."),
        parameter("If-None-Match", "An `ETag` that you hold: 304 while it is current."),
    ],
    responses={
        200: {"description": "The archive", "content": FILE},
        206: {"description": "A part of it", "content": FILE},
        304: {"description": "Not Modified"},
    },
)


class DownloadLink(APIKeyQuery):
    """`?token=` of a download-token: no session is needed."""

    param_name = "token"

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        """Raise TokenInvalid: a wrong token is refused even to somebody who is logged in."""
        if key is None or request.resolver_match is None:
            return None
        return tokens.download_user(key, UUID(request.resolver_match.kwargs["job_id"]))


@router.post(
    EXPORTS,
    response={202: Started, 200: Started},
    openapi_extra=told(*START_REFUSALS, exceptions.IdempotencyKeyReused, headers=STARTED),
)
def start_export(
    request: ApiRequest,
    response: HttpResponse,
    project_id: UUID,
    body: StartBody | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Status[Started]:
    """Start an export. The same options again while it is active, or the same key, give the same job."""
    asked = body or StartBody()
    job, is_new = admission.start(
        request.auth,
        project_id,
        asked.raw_options,
        project_name=asked.project_name,
        idempotency_key=idempotency_key,
    )
    return _started(response, job, is_new)


@router.post(f"{EXPORTS}/estimate", auth=READING, response=Estimate, openapi_extra=told(*START_REFUSALS[:-1]))
def estimate_export(request: ApiRequest, project_id: UUID, body: EstimateBody | None = None) -> Estimate:
    """What these options would lead to. Nothing is started."""
    return admission.estimate(request.auth, project_id, (body or EstimateBody()).raw_options)


@router.get(f"{EXPORTS}/history", auth=READING, response=History)
def export_history(
    request: ApiRequest, project_id: UUID, limit: Limit = 50, cursor: CursorText = None
) -> History:
    """Your exports of a project, newest first; for its owner, everybody's."""
    project = get_object_or_404(Project.objects.visible_to(request.auth), pk=project_id)
    jobs = ExportJob.objects.visible_to(request.auth).filter(project=project).with_queue_position()
    shown, following = page(
        _before(jobs, cursor), limit, lambda job: [job.created_at.isoformat(), str(job.pk)]
    )
    return History(jobs=[JobView.of(job) for job in shown], next_cursor=following)


@router.get(f"{JOB}/status", auth=READING, response=JobView, url_name="export_status")
def export_status(request: ApiRequest, response: HttpResponse, project_id: UUID, job_id: UUID) -> JobView:
    """The job. Send its `ETag` as `If-None-Match` to be told 304 while nothing has changed."""
    job = _job(request, project_id, job_id)
    response["ETag"] = f'"{job.version}"'
    return JobView.of(job)


@router.post(
    f"{JOB}/cancel",
    response=Cancelled,
    openapi_extra=told(exceptions.AlreadyDownloaded, exceptions.AlreadyFailed, exceptions.AlreadyExpired),
)
def cancel_export(request: ApiRequest, project_id: UUID, job_id: UUID) -> Cancelled:
    """Cancel it, for ever. Again: the same answer, and nothing is written twice."""
    job = _job(request, project_id, job_id)
    cancelled = lifecycle.cancel(job.pk, lifecycle.actor(request.auth))
    return Cancelled(message=gettext("The export was cancelled."), job=JobView.of(cancelled))


@router.api_operation(
    ["GET", "HEAD"],
    f"{JOB}/download",
    url_name="download_export",
    auth=[DownloadLink(), *EXPORTING],
    openapi_extra=DOWNLOAD,
)
def download_export(request: ApiRequest, project_id: UUID, job_id: UUID) -> HttpResponseBase:
    """The archive, or a single range of it. The first one accepted ends the time in which it can be cancelled."""
    return downloads.answer(request, _exportable_job(request, project_id, job_id).pk)


@router.post(
    f"{JOB}/auto-download",
    response=AutoDownload,
    openapi_extra=told(*FILE_REFUSALS, exceptions.AlreadyAutoDownloaded),
)
def claim_auto_download(request: ApiRequest, project_id: UUID, job_id: UUID) -> AutoDownload:
    """The right to download without being asked: granted once in a job's life, whoever asks."""
    job = _exportable_job(request, project_id, job_id)
    claimed = grants.claim_auto_download(job.pk, lifecycle.actor(request.auth))
    return AutoDownload(download_url=download_url(claimed) or "")


@router.post(f"{JOB}/download-token", response=TokenView, openapi_extra=told(*FILE_REFUSALS))
def create_download_token(request: ApiRequest, project_id: UUID, job_id: UUID) -> TokenView:
    """An address for a client without cookies, for ten minutes; every rule is checked again when it is used."""
    job = _exportable_job(request, project_id, job_id)
    refusals.refuse_download(job)
    token = tokens.for_download(request.auth, job.pk, request.key_id)
    return TokenView(
        token=token.text, url=f"{download_url(job)}?token={token.text}", expires_at=token.expires_at
    )


@router.post(
    f"{JOB}/retry",
    response={202: Started, 200: Started},
    openapi_extra=told(*START_REFUSALS, exceptions.StillActive, headers=STARTED),
)
def retry_export(
    request: ApiRequest, response: HttpResponse, project_id: UUID, job_id: UUID
) -> Status[Started]:
    """A new export with the options of an ended one."""
    job, is_new = admission.retry(request.auth, _job(request, project_id, job_id))
    return _started(response, job, is_new)


@router.get(f"{JOB}/audit", auth=READING, response=Audit)
def export_audit(request: ApiRequest, project_id: UUID, job_id: UUID) -> Audit:
    """Every move that the job made."""
    rows = _job(request, project_id, job_id).transitions.order_by("sequence")
    return Audit(transitions=[TransitionView.of(row) for row in rows])


@router.delete(JOB, response={204: None}, openapi_extra=told(exceptions.StillActive))
def delete_export(request: ApiRequest, project_id: UUID, job_id: UUID) -> Status[None]:
    """Delete its file. The job stays in the history; one that has no file is left as it is."""
    job = _job(request, project_id, job_id)
    with suppress(exceptions.IllegalMove):
        lifecycle.expire(job.pk, "deleted", lifecycle.actor(request.auth))
    return Status(204, None)


@router.get("/export/formats", auth=READING, response=Catalogue)
def export_formats(request: ApiRequest) -> Catalogue:
    """What an archive can hold, what each format cannot, and the JSON Schema of the options."""
    return Catalogue.now()


@router.post("/ws-token", auth=READING, response=TokenView)
def create_stream_token(request: ApiRequest) -> TokenView:
    """An address of the WebSocket for a client without cookies, for ten minutes."""
    token = tokens.for_stream(request.auth, request.key_id)
    url = f"{asyncapi.ADDRESS}?token={token.text}"
    return TokenView(token=token.text, url=url, expires_at=token.expires_at)


@router.get("/events.json", auth=None, include_in_schema=False)
def events_document(request: HttpRequest) -> dict[str, Any]:
    """AsyncAPI 3."""
    return asyncapi.document()


def _job(request: ApiRequest, project_id: UUID, job_id: UUID) -> ExportJob:
    """Raise Http404 when there is none that the user may see, in this project."""
    return get_object_or_404(ExportJob.objects.visible_to(request.auth), pk=job_id, project_id=project_id)


def _exportable_job(request: ApiRequest, project_id: UUID, job_id: UUID) -> ExportJob:
    """For a download: whoever lost the right to export loses the file too. Raise Http404 or ExportNotAllowed."""
    job = _job(request, project_id, job_id)
    if not Project.objects.exportable_by(request.auth).filter(pk=project_id).exists():
        raise exceptions.ExportNotAllowed
    return job


def _started(response: HttpResponse, job: ExportJob, is_new: bool) -> Status[Started]:
    response["Location"] = reverse("api:export_status", args=[job.project_id, job.pk])
    message = gettext("The export was started.") if is_new else gettext("This export was started before.")
    view = JobView.of(job)
    answer = Started(job_id=job.pk, message=message, deduplicated=not is_new, job=view)
    if is_new:
        response["Retry-After"] = "1"
    return Status(202 if is_new else 200, answer)


def _before(jobs: ExportJobQuerySet, cursor: str | None) -> ExportJobQuerySet:
    """Newest first; written so that the index on both columns is used."""
    newest = jobs.order_by("-created_at", "-pk")
    if cursor is None:
        return newest
    moment, job_id = position_of(cursor)
    created_at = datetime.fromisoformat(moment)
    return newest.filter(Q(created_at__lt=created_at) | Q(pk__lt=job_id), created_at__lte=created_at)
