"""What every API function needs from a request: who asks, which page of a list, what the client has already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from ninja import Query
from ninja.errors import ValidationError
from ninja.parser import Parser

from exports.exceptions import InvalidJson, UnsupportedMediaType

Row = TypeVar("Row", bound=Model)
CursorText = Annotated[str | None, Query(description="`nextCursor` of the page before; null after the last.")]
JSON = "application/json"
_CURSOR_SALT = "api.cursor"
_OF_A_BODY = {"content-type", "content-length", "content-encoding"}


class ApiRequest(HttpRequest):
    """A request that `config.authentication` has let in."""

    auth: User
    key_id: int | None
    """The key that was shown; None for a session."""


class StrictParser(Parser):
    """Takes JSON as RFC 8259 has it, in UTF-8, and nothing that two readers could understand differently."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Whatever type it is said to be: many clients name none. Raise UnsupportedMediaType or InvalidJson."""
        if request.content_type == "multipart/form-data":  # whose stream was read for its CSRF token
            raise UnsupportedMediaType
        try:
            return json.loads(
                request.body.decode(), object_pairs_hook=_each_name_once, parse_constant=_no_number
            )
        except (ValueError, RecursionError) as error:
            raise (InvalidJson if request.content_type == JSON else UnsupportedMediaType) from error


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def conditional(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """304 for who holds this answer already. One that has no tag of its own is named by its bytes."""
    if request.method != "GET" or response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    if not response.has_header("ETag"):
        response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()}"'
    if not has_current(request, response["ETag"]):
        return response
    kept = {name: value for name, value in response.items() if name.lower() not in _OF_A_BODY}
    unchanged = HttpResponse(status=304, headers=kept)
    del unchanged["Content-Type"]
    return unchanged


def has_current(request: HttpRequest, etag: str) -> bool:
    """Whether `If-None-Match` says that the client holds this version; weak and strong tags compare alike."""
    known = {each.removeprefix("W/") for each in parse_etags(request.headers.get("If-None-Match", ""))}
    return bool(known & {"*", etag})


def page(
    rows: QuerySet[Row], limit: int, position: Callable[[Row], list[str]]
) -> tuple[list[Row], str | None]:
    """The first `limit` rows, and the cursor of the next page when there are more."""
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], signing.dumps(position(found[limit - 1]), salt=_CURSOR_SALT)


def position_of(cursor: str) -> list[str]:
    """What `page` put in. Signed, so that nothing else can come in. Raise ValidationError."""
    try:
        return [str(each) for each in signing.loads(cursor, salt=_CURSOR_SALT)]
    except signing.BadSignature:
        wrong = {"loc": ("query", "cursor"), "msg": "is not a nextCursor of this list"}
        raise ValidationError([wrong]) from None
