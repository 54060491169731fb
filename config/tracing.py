"""Each request has an id, which its answer and every line of the log about it carry; one line when it ends."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import Counter, disable_created_metrics

log = structlog.get_logger(__name__)
HEADER = "X-Request-ID"
LONGEST_PATH = 200  # characters of an address that a line keeps
disable_created_metrics()  # type: ignore[no-untyped-call]
ANSWERED = Counter(
    "exports_http_requests", "Requests answered by this process, by method and status.", ["method", "code"]
)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# What monitoring and browsers ask for all the time.
_QUIET = ("/healthz", "/readyz", "/metrics", "/static/")

_current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)

Answering = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def trace_requests(get_response: Answering) -> Answering:
    """The outermost middleware: what the others answer is traced too."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            with _traced(request) as finish:
                waiting: Awaitable[HttpResponseBase] = get_response(request)
                return finish(await waiting)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        with _traced(request) as finish:
            return finish(get_response(request))

    return answer


def name_user(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A step of the log: who asks, as far as it is known by now. Nothing is read from the database for it."""
    request = _current.get()
    user_id = _user_id(request) if request else None
    if user_id is not None:
        event.setdefault("user", user_id)
    return event


@contextmanager
def _traced(request: HttpRequest) -> Iterator[Callable[[HttpResponseBase], HttpResponseBase]]:
    """No query and no body is logged: they may hold what is secret."""
    request_id, began = _id_of(request), time.monotonic()

    def finish(response: HttpResponseBase) -> HttpResponseBase:
        response[HEADER] = request_id
        method = request.method if request.method in _METHODS else "other"
        ANSWERED.labels(method, str(response.status_code)).inc()
        _tell(request, response, round((time.monotonic() - began) * 1000))
        return response

    token = _current.set(request)
    try:
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            yield finish
    finally:
        _current.reset(token)


def _tell(request: HttpRequest, response: HttpResponseBase, milliseconds: int) -> None:
    status = response.status_code
    say = log.warning if status >= 500 else log.debug if request.path.startswith(_QUIET) else log.info
    say("request", method=request.method, path=_path_of(request), status=status, ms=milliseconds)


def _id_of(request: HttpRequest) -> str:
    """The proxy's, so that its log and ours can be read together; one of our own instead of nonsense."""
    given = request.headers.get(HEADER, "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _path_of(request: HttpRequest) -> str:
    """Without the token of a link to reset a password."""
    token = str(request.resolver_match.kwargs.get("token") or "") if request.resolver_match else ""
    path = request.path.replace(token, "[hidden]") if token else request.path
    return path[:LONGEST_PATH]


def _user_id(request: HttpRequest) -> int | None:
    """Of the key that an API function let in, or of the session, where one was looked at."""
    for name in ("auth", "_cached_user", "_acached_user"):
        found = getattr(request.__dict__.get(name), "pk", None)
        if isinstance(found, int):
            return found
    return None
