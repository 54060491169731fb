"""The description of the socket: AsyncAPI's own schema judges it, and it judges what a socket sends."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from exports import asyncapi, lifecycle
from exports.messages import Advance, Failure
from exports.models import ExportJob
from projects.models import Project
from tests.exports.conftest import no_ticks, open_stream
from tests.streams import (
    FILE,
    Opener,
    beat,
    cancel,
    claim,
    complete,
    hear,
    record_cleanup,
    record_download,
    request,
)

__all__ = ["no_ticks", "open_stream"]
JUDGE = jsonschema.Draft7Validator(
    json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_text())
)
DOCUMENT: dict[str, Any] = json.loads(json.dumps(asyncapi.document()))
FAILURE = Failure("build_failed", "The archive could not be built.", retryable=True)
expire, fail, give_back = (
    sync_to_async(each) for each in (lifecycle.expire, lifecycle.fail, lifecycle.give_back)
)


def test_the_document_is_asyncapi() -> None:
    assert [error.message for error in JUDGE.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    "wrong", [{"asyncapi": 3}, {"operations": {"x": {"action": "shout"}}}, {"channels": []}], ids=str
)
def test_a_document_that_is_not_asyncapi_would_be_found(wrong: dict[str, Any]) -> None:
    assert list(JUDGE.iter_errors({**DOCUMENT, **wrong}))


def schema_of(frame: dict[str, Any]) -> dict[str, Any]:
    """The payload of the message of that name."""
    messages = DOCUMENT["components"]["messages"].values()
    (message,) = (each for each in messages if each["name"] == frame["type"])
    return {**message["payload"], "components": DOCUMENT["components"]}


async def heard_after(stream: WebsocketCommunicator, move: Awaitable[Any]) -> dict[str, Any]:
    await move
    frame = await hear(stream)
    checker = jsonschema.FormatChecker(["uuid"])
    jsonschema.Draft202012Validator(schema_of(frame), format_checker=checker).validate(frame)
    return frame


@pytest.mark.usefixtures("no_ticks", "bell")
async def test_each_event_of_a_life_fits_its_schema(
    open_stream: Opener, project: Project, alice: User
) -> None:
    stream = await open_stream(alice)
    assert (await hear(stream))["type"] == "export:snapshot"
    job = await request(project, alice)
    moves = [
        ("queued", sync_to_async(str)(job.pk)),
        ("started", claim(job.pk)),
        ("progress", beat(job.pk, 1, Advance(10, "images", 1, 3, "1 of 3"))),
        ("completed", complete(job.pk, 1, FILE, [])),
        ("downloaded", record_download(job.pk)),
        ("expired", expire(job.pk, "deleted", "user:1")),
        ("cleanup:completed", record_cleanup(job.pk, 10)),
    ]
    for kind, move in moves:
        assert (await heard_after(stream, move))["type"] == f"export:{kind}"


@pytest.mark.usefixtures("no_ticks", "bell")
async def test_each_event_of_an_unlucky_life_fits_its_schema(
    open_stream: Opener, project: Project, alice: User
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    job, other = await request(project, alice), await request(project, alice, includeDocumentation=False)
    nothing = sync_to_async(str)
    moves = [
        ("queued", nothing()),
        ("queued", nothing()),
        ("started", claim(job.pk)),
        ("requeued", give_back(job.pk, 1)),
        ("cancelled", cancel(job.pk, "user:1")),
        ("started", claim(other.pk)),
        ("failed", fail(other.pk, 1, FAILURE)),
    ]
    for kind, move in moves:
        assert (await heard_after(stream, move))["type"] == f"export:{kind}"


@pytest.mark.usefixtures("no_ticks")
@pytest.mark.parametrize("said", ['{"type": "ping"}', '{"type": "export:sync"}', "nonsense"])
async def test_each_answer_fits_its_schema(
    open_stream: Opener, job: ExportJob, alice: User, said: str
) -> None:
    stream = await open_stream(alice)
    assert await heard_after(stream, sync_to_async(str)())
    assert await heard_after(stream, stream.send_to(text_data=said))
