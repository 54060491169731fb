"""For clients whose sockets are blocked: what the stream's snapshot says, in one request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router

from config.authentication import READING
from config.requests import ApiRequest, has_current
from exports.schemas import JobView, Outward
from exports.scopes import Scope

router = Router(by_alias=True)
ScopeText = Annotated[Scope, Query(description="`visible`: also everybody's of the projects that you own.")]


class Current(Outward):
    jobs: list[JobView]


@router.get("/exports/current", auth=READING, response=Current)
def current_exports(
    request: ApiRequest, response: HttpResponse, scope: ScopeText = Scope.OWN
) -> Current | HttpResponse:
    """Your exports that are active or changed in the last hour. 304 on `If-None-Match` while none has changed."""
    jobs = scope.current(request.auth)
    if "If-None-Match" in request.headers:
        known = _tag(jobs.order_by().values_list("pk", "version"))
        if has_current(request, known):
            return HttpResponse(status=304, headers={"ETag": known, "Cache-Control": "private, no-cache"})
    rows = list(jobs.with_queue_position())
    response["ETag"] = _tag((job.pk, job.version) for job in rows)
    return Current(jobs=[JobView.of(job) for job in rows])


def _tag(versions: Iterable[tuple[UUID, int]]) -> str:
    known = "".join(sorted(f"{job_id}:{version};" for job_id, version in versions))
    return f'"{hashlib.sha256(known.encode()).hexdigest()}"'
