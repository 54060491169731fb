"""The answer to a download: which bytes, under which headers, and whether at all.

All is decided on the row under its lock, and the file is opened before the lock is let go. So a download is
recorded only when there is a file to send, and what was opened is sent whole even if its name goes
meanwhile: a completed job's file never changes. Nothing is sent before the commit.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from config.problems import problem
from config.requests import ApiRequest, has_current
from exports import exceptions, files, grants, lifecycle
from exports.models import ExportJob
from exports.states import Status

log = structlog.get_logger(__name__)
_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,40})-(?P<last>[0-9]{0,40})", re.ASCII)


@dataclass(frozen=True)
class Part:
    """Bytes of a file that has `size`."""

    start: int
    length: int
    size: int

    @property
    def is_whole(self) -> bool:
        return self.length == self.size

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


@dataclass(frozen=True)
class Body:
    """What is sent. Closed by the response also when the client left before the first byte."""

    file: BinaryIO
    part: Part

    def __aiter__(self) -> AsyncIterator[bytes]:
        return files.stream(self.file, self.part.start, self.part.length)

    def close(self) -> None:
        self.file.close()


def answer(request: ApiRequest, job_id: UUID) -> HttpResponseBase:
    """200, 206, 304 or 416. Raise NotCompleted, Failed, Cancelled or Expired: then no byte is sent."""
    try:
        with ExitStack() as opened:
            with grants.download(job_id, lifecycle.actor(request.auth)) as grant:
                file = opened.enter_context(_open(grant.job))
                response = _answer(request, grant, file)
            if isinstance(response, StreamingHttpResponse):
                opened.pop_all()
            return response
    except exceptions.FileGone:
        with suppress(exceptions.IllegalMove):  # it ended meanwhile: its row says how
            lifecycle.expire(job_id, "file_missing", lifecycle.SYSTEM)
        raise


def _answer(request: HttpRequest, grant: grants.Grant, file: BinaryIO) -> HttpResponseBase:
    job = grant.job
    if has_current(request, _etag(job)):
        return _described(HttpResponse(status=304), job)
    part = _wanted_part(request, job)
    if part is None:
        return _not_satisfiable(job)
    if request.method == "HEAD":
        return _with_length(_described(HttpResponse(content_type="application/zip"), job), part)
    return _send(Body(file, part), grant)


def range_of(header: str, size: int) -> Part | None:
    """The single range that `header` names, the whole file when it names none (RFC 9110, section 14.2).

    None when no byte of the file is in it. Several ranges and other units are answered with the whole.
    """
    match = _RANGE.fullmatch(header.strip())
    if not match or match["first"] == match["last"] == "":
        return Part(0, size, size)
    if match["first"] == "":
        length = min(int(match["last"]), size)
        return Part(size - length, length, size) if length else None
    start = int(match["first"])
    last = min(int(match["last"] or size), size - 1)
    if match["last"] and int(match["last"]) < start:
        return Part(0, size, size)
    return Part(start, last - start + 1, size) if start < size else None


def _wanted_part(request: HttpRequest, job: ExportJob) -> Part | None:
    """A range counts for GET only, and only while `If-Range` names this very file."""
    size = _size(job)
    if request.method != "GET" or request.headers.get("If-Range", _etag(job)) != _etag(job):
        return Part(0, size, size)
    return range_of(request.headers.get("Range", ""), size)


def _send(body: Body, grant: grants.Grant) -> HttpResponseBase:
    part = body.part
    if part.start:
        grant.accept_part(part.content_range)
    else:
        grant.accept_start()
    response = StreamingHttpResponse(
        body, status=200 if part.is_whole else 206, content_type="application/zip"
    )
    if not part.is_whole:
        response["Content-Range"] = part.content_range
    return _with_length(_described(response, grant.job), part)


def _open(job: ExportJob) -> BinaryIO:
    """Raise FileGone when the file is not there as it was published, and Busy when that cannot be told."""
    try:
        file = files.open_published(job.file_name or "")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise exceptions.FileGone(jobStatus=Status.EXPIRED) from None
    except OSError as error:
        log.warning("file_not_opened", job=str(job.pk), error=repr(error))
        raise exceptions.Busy(gettext("The file cannot be read at this moment. Try again.")) from error
    if os.fstat(file.fileno()).st_size == _size(job):
        return file
    file.close()
    raise exceptions.FileGone(jobStatus=Status.EXPIRED)


def _described(response: HttpResponseBase, job: ExportJob) -> HttpResponseBase:
    digest = base64.b64encode(bytes.fromhex(job.sha256 or "")).decode()
    response["ETag"] = _etag(job)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = content_disposition_header(True, job.download_name) or "attachment"
    response["Repr-Digest"] = f"sha-256=:{digest}:"
    response["Digest"] = f"sha-256={digest}"
    return response


def _with_length(response: HttpResponseBase, part: Part) -> HttpResponseBase:
    response["Content-Length"] = str(part.length)
    return response


def _not_satisfiable(job: ExportJob) -> HttpResponse:
    refusal = exceptions.RangeNotSatisfiable()
    response = problem(refusal.status, refusal.code, refusal.sentence)
    response["Content-Range"] = f"bytes */{job.file_size}"
    return response


def _etag(job: ExportJob) -> str:
    return f'"{job.sha256}"'


def _size(job: ExportJob) -> int:
    return job.file_size or 0  # set while completed, the database holds to it
