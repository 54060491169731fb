"""For supervisors: is the process alive, can it serve. Only reads, and answers soon even when nothing else does."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.asking import Question, ask_all
from exports import crew, dispatch, files, statistics
from exports.estimate import RESERVE

log = structlog.get_logger(__name__)
PATIENCE = 1.0  # seconds for all answers together


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when exports can be started, built and fetched; otherwise 503 and the reasons.

    What is wrong but stops nobody is a warning: the ids of cancelled exports that still have a file.
    """
    found = ask_all(QUESTIONS, PATIENCE)
    reasons = {name: reason for name in QUESTIONS if (reason := _reason(name, found[name]))}
    stuck = found["database"]
    warnings = {"stuckCancellations": list(stuck)} if isinstance(stuck, tuple) and stuck else {}
    answer = {"ready": not reasons, "reasons": reasons, "warnings": warnings}
    return JsonResponse(answer, status=503 if reasons else 200)


def _reason(name: str, found: Any) -> str:
    """Why the hub cannot serve, as far as this answer goes; empty when it can."""
    if isinstance(found, Exception) or found is None:
        log.warning("not_ready", part=name, error=repr(found))
        return _AWAY[name]
    if name == "worker" and not found:
        return "No export worker is registered."
    if name == "disk" and found <= RESERVE:
        return f"Only {found} bytes are free for archives."
    return ""


def _database() -> tuple[str, ...]:
    """The ids of stuck cancellations."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return statistics.stuck_cancellations()


_AWAY = {
    "database": "The database does not answer.",
    "redis": "Redis does not answer.",
    "worker": "Redis does not answer, so no worker can be seen.",
    "disk": "The disk for archives cannot be used.",
}
QUESTIONS: dict[str, Question[Any]] = {
    "database": Question(_database),
    "redis": Question(lambda: dispatch.connection().ping()),
    "worker": Question(crew.alive),
    "disk": Question(lambda: files.free_bytes()),
}
