"""Who may listen to the stream of exports, with which proof, and what each is shown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connections

from config.asgi import application
from exports import keys, tokens
from exports.models import ApiToken
from tests.security.rights.stage import VISITORS, Stage, made

# What each sees: nothing but the close, or whose exports, without and with `scope=visible`.
SHOWN: dict[str, tuple[Any, Any]] = {
    "anonymous": (4401, 4401),
    "stranger": ([], []),
    "viewer": (["viewer"], ["viewer"]),
    "exporter": (["exporter"], ["exporter"]),
    "editor": (["editor"], ["editor"]),
    # Two: one for themselves, and the one of the table.
    "owner": (
        ["owner", "owner"],
        ["editor", "exporter", "inactive", "owner", "owner", "revoked", "viewer"],
    ),
    "staff": ([], []),
    "revoked": ([], []),
    "inactive": (4401, 4401),
}


@pytest.fixture
async def stage(transactional_db: None) -> AsyncIterator[Stage]:
    yield await sync_to_async(made)()
    await sync_to_async(connections.close_all)()


async def seen(stage: Stage, query: str, session: str = "") -> Any:
    """Whose exports a new socket shows, or the code that it is closed with."""
    cookie = [(b"cookie", f"sessionid={session}".encode())] if session else []
    stream = WebsocketCommunicator(
        application, f"/ws/exports/?{query}", [(b"origin", b"http://localhost"), *cookie]
    )
    await stream.connect(timeout=10)
    try:
        frame = await stream.receive_output(timeout=10)
        if frame["type"] == "websocket.close":
            return frame["code"]
        names = {user.pk: name for name, user in stage.users.items()}
        return sorted(names[job["userId"]] for job in json.loads(frame["text"])["jobs"])
    finally:
        await stream.disconnect(timeout=10)


async def test_each_visitor_is_shown_what_they_may_see(stage: Stage) -> None:
    shown = {
        name: (
            await seen(stage, "", stage.sessions.get(name, "")),
            await seen(stage, "scope=visible", stage.sessions.get(name, "")),
        )
        for name in VISITORS
    }
    assert shown == SHOWN


async def test_a_token_shows_what_the_cookie_does(stage: Stage) -> None:
    users = {name: await User.objects.aget(pk=user.pk) for name, user in stage.users.items()}
    texts = {name: (await sync_to_async(tokens.for_stream)(user)).text for name, user in users.items()}
    shown = {name: await seen(stage, f"token={text}") for name, text in texts.items()}
    assert shown == {name: both[0] for name, both in SHOWN.items() if name in texts}


async def test_what_is_no_token_for_the_stream_shows_nothing_whatever_the_cookie_says(stage: Stage) -> None:
    owner = stage.users["owner"]
    job_id = stage.known["owner"]["job"]
    others = [
        tokens.for_download(owner, job_id).text,
        "x",
        "",
        "%00",
        "a:b:c",
        "\u00e4" * 9,
        stage.sessions["owner"],
    ]
    codes = [await seen(stage, f"token={text}", stage.sessions["owner"]) for text in others if text]
    assert set(codes) == {4401}


async def test_the_token_of_a_revoked_key_shows_nothing(stage: Stage) -> None:
    owner = stage.users["owner"]
    key, _ = await sync_to_async(keys.create)(owner, keys.Wanted(None, "read", None))
    text = (await sync_to_async(tokens.for_stream)(owner, key.pk)).text
    assert await seen(stage, f"token={text}") == SHOWN["owner"][0]
    await sync_to_async(ApiToken.objects.filter(pk=key.pk).revoke)()
    assert await seen(stage, f"token={text}") == 4401
