"""One question of one visitor, and what its answer gives away."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection
from django.http import HttpResponseBase
from django.test.utils import CaptureQueriesContext

from exports.options import ExportOptions
from tests.exports.test_views import FORM
from tests.security.rights.stage import MEMBERS, Stage, undone

NOBODY = "00000000-0000-0000-0000-000000000003"
LOGIN = "/accounts/login/"
NO_NUMBER = 987_654_321
UUIDS = {"project", "other", "image", "elsewhere", "preset", "own_preset", "job", "own"}
PRESET = {"name": "Mine", "shared": False, "options": {}}
SENT: dict[str, Any] = {
    "/api/projects/{project}/export": {"options": {"annotationFormats": ["yolo"]}},
    "/api/projects/{project}/export/presets": PRESET,
    "/api/projects/{project}/export/presets/{preset}": PRESET | {"name": "Other", "shared": True},
    "/api/projects/{project}/export/presets/{own_preset}": PRESET | {"name": "Other"},
    "/api/projects/{other}/export/presets/{preset}": PRESET,
    "/api/preferences": {"downloadWhenReady": False},
}
POSTED: dict[str, Any] = {
    "/projects/{project}/export/": FORM,
    "/projects/{other}/export/": FORM,
    "/projects/{project}/export/presets/new/": FORM,
    "/projects/{project}/export/presets/": {
        "name": "Mine",
        "options": json.dumps(ExportOptions().as_json()),
    },
    "/accounts/keys/": {"name": "Mine", "scope": "read", "days": "30"},
    "/exports/settings/": {"language": "de"},
    "/language/": {"language": "de", "next": "/exports/"},
}
_WRITES = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')
_NOTED = ("django_session", "axes_")
"""Tables that may change whatever is answered."""

_VARYING_HEADERS = {
    *("x-request-id", "content-security-policy", "set-cookie", "content-length"),
    *("ratelimit", "ratelimit-policy"),  # left out while Redis is slow
}
_VARYING = re.compile(rb'(?<=nonce=")[^"]+|(?<=name="csrfmiddlewaretoken" value=")\w+')


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    queries: tuple[str, ...]

    @property
    def said(self) -> str:
        """As the table says it."""
        is_sent = self.status == 302 and self.headers["location"].startswith(LOGIN)
        return "login" if is_sent else str(self.status)

    @property
    def is_refusal(self) -> bool:
        return self.said == "login" or self.status >= 400

    def written(self) -> list[str]:
        tables = [found[2] for query in self.queries if (found := _WRITES.match(query))]
        return [table for table in tables if not table.startswith(_NOTED)]


def ask(stage: Stage, visitor: str, method: str, template: str, key: str = "", **others: object) -> Answer:
    """What follows from it is undone. With a key it is shown instead of the cookie; `others` replace known ids."""
    address = stage.address(visitor, template, **others)
    client = stage.client("" if key else visitor)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with undone(), CaptureQueriesContext(connection) as queries:
        if template.startswith("/api/"):
            content = json.dumps(SENT.get(template)) if template in SENT else ""
            response = client.generic(method, address, content, "application/json", headers=headers)
        elif method == "POST":
            response = client.post(address, POSTED.get(template, {}))
        else:
            response = client.generic(method, address)
        return _answer(response, queries)


def ask_for_nothing(stage: Stage, visitor: str, method: str, template: str) -> Answer:
    """The same of objects that do not exist, but for projects that the visitor sees."""
    seen = {"owner": {"project", "other"}} | {name: {"project"} for name in MEMBERS}
    hidden = dict.fromkeys(UUIDS - seen.get(visitor, set()), NOBODY)
    return ask(stage, visitor, method, template, **hidden, api_key=NO_NUMBER, own_api_key=NO_NUMBER)


def told(answer: Answer, ids: list[str]) -> tuple[object, ...]:
    """What somebody learns from it, apart from what they had said themselves."""
    headers = {name: value for name, value in answer.headers.items() if name not in _VARYING_HEADERS}
    body = _VARYING.sub(b"", answer.body)
    for each in [*ids, NOBODY, f"/{NO_NUMBER}/"]:
        body = body.replace(each.encode(), b"")
    return answer.status, headers, body, len(answer.queries)


def _answer(response: HttpResponseBase, queries: CaptureQueriesContext) -> Answer:
    body = async_to_sync(_streamed)(response) if response.streaming else response.content  # type: ignore[attr-defined]
    headers = {name.lower(): value for name, value in response.items()}
    return Answer(response.status_code, headers, body, tuple(each["sql"] for each in queries))


async def _streamed(response: Any) -> bytes:
    return b"".join([chunk async for chunk in response])
