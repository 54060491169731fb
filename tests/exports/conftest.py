"""What tests of the stream share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from config.asgi import application
from exports import events
from exports.consumers import ExportStream
from tests.streams import Opener


@pytest.fixture
async def open_stream(transactional_db: None) -> AsyncIterator[Opener]:
    """Connects as a user, with a session of their own unless `query` has a token."""
    opened: list[WebsocketCommunicator] = []

    async def open_as(user: User | None, query: str = "") -> WebsocketCommunicator:
        headers = [(b"origin", b"http://localhost")]
        if user is not None:
            headers.append((b"cookie", await _cookie(user)))
        stream = WebsocketCommunicator(application, f"/ws/exports/{query}", headers)
        opened.append(stream)
        await stream.connect(timeout=10)
        return stream

    yield open_as
    for stream in opened:
        await stream.disconnect(timeout=10)
    await sync_to_async(connections.close_all)()


@pytest.fixture
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExportStream, "tick_seconds", 0.1)


@pytest.fixture
def no_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExportStream, "tick_seconds", 3600.0)


@pytest.fixture
def no_announcements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "publish", lambda group, payload: None)


@sync_to_async
def _cookie(user: User) -> bytes:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}".encode()
