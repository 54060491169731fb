"""What every API function needs from a request: who asks, which page of a list, what the client has already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.http import parse_etags
from ninja import Query
from ninja.errors import ValidationError

Row = TypeVar("Row", bound=Model)
CursorText = Annotated[str | None, Query(description="`nextCursor` of the page before; null after the last.")]
_CURSOR_SALT = "api.cursor"


class ApiRequest(HttpRequest):
    """A request that `config.authentication` has let in."""

    auth: User


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
