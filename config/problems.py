"""Errors as application/problem+json (RFC 9457): the one place that renders what the API refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
import structlog
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from django_stubs_ext import StrOrPromise
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel, Field

from config.outage import OUTAGE
from exports.exceptions import Busy, ExportError

log = structlog.get_logger(__name__)

_HTTP = {
    401: (
        "not_authenticated",
        gettext_lazy("Log in, or send a valid token as `Authorization: Bearer TOKEN`."),
    ),
    403: (
        "csrf_failed",
        gettext_lazy("The CSRF token is missing or wrong: send the cookie `csrftoken` as X-CSRFToken."),
    ),
}


class Problem(BaseModel):
    """An error; some have further members."""

    type: str
    title: str
    status: int
    detail: str = Field(description="A sentence for the user.")
    code: str = Field(description="Stable; what programs decide by.")
    error: str = Field(description="The same as `detail`.")
    fields: dict[str, str] | None = Field(
        default=None, description="Of a validation error: what is wrong where."
    )
    jobStatus: str | None = Field(default=None, description="Of a refused download: the job's status.")
    cancelledAt: datetime | None = Field(default=None, description="Of a cancelled job.")


def problem(status: int, code: str, sentence: StrOrPromise, **members: object) -> HttpResponse:
    body = {
        "type": f"urn:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": str(sentence),
        "code": code,
        "error": str(sentence),
        **members,
    }
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    response = HttpResponse(content, status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    return response


def register(api: NinjaAPI) -> None:
    """Have everything that an API function or its framework raises rendered here."""
    api.add_exception_handler(ExportError, _refused)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(Http404, _not_found)
    api.add_exception_handler(ObjectDoesNotExist, _not_found)
    api.add_exception_handler(SuspiciousOperation, _suspicious)
    for error in OUTAGE:
        api.add_exception_handler(error, _database_busy)
    api.add_exception_handler(Exception, _failed)


def not_allowed(allowed: str) -> HttpResponse:
    sentence = gettext("This address only takes %(methods)s.")
    response = problem(405, "method_not_allowed", sentence % {"methods": allowed})
    response["Allow"] = allowed
    return response


def _refused(_request: HttpRequest, error: Any) -> HttpResponse:
    response = problem(error.status, error.code, error.sentence, **error.details)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error.__cause__, ExportError):  # ninja makes a 400 of all that its parser raises
        return _refused(request, error.__cause__)
    response = problem(error.status_code, *_HTTP[error.status_code])
    if error.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _invalid(_request: HttpRequest, error: Any) -> HttpResponse:
    """A body holds options; anything else that does not validate is a parameter."""
    fields = {_path(each["loc"]): str(each["msg"]) for each in error.errors}
    listed = "; ".join(f"{name}: {sentence}" for name, sentence in fields.items())
    code = "invalid_options" if error.errors[0]["loc"][0] == "body" else "invalid_request"
    sentence = gettext("This request cannot be used. %(faults)s.") % {"faults": listed}
    return problem(422, code, sentence, fields=fields)


def _path(location: tuple[int | str, ...]) -> str:
    """Without the place (body, query, header) and, for a body, ninja's name of the parameter."""
    steps = location[2:] if location[0] == "body" else location[1:]
    return ".".join(str(step) for step in steps) or str(location[0])


def _not_found(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(404, "not_found", gettext("There is nothing at this address, or you may not see it."))


def _suspicious(_request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", gettext("The body is too large."))
    return problem(400, "invalid_request", gettext("This request cannot be used."))


def _database_busy(request: HttpRequest, error: Any) -> HttpResponse:
    """The outcome of a write is unknown then: no 2xx, so no promise."""
    log.warning("database_unavailable", path=request.path, error=repr(error))
    return _refused(request, Busy(gettext("The database does not answer at this moment. Try again.")))


def _failed(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("request_failed", path=request.path, exc_info=error)
    return problem(
        500, "internal_error", gettext("Something went wrong on our side. It was noted; please try again.")
    )
