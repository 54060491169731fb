"""Real processes on the test database, and a WebSocket client that is not ours."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from websockets.sync.client import ClientConnection, connect

from tests.processes import Running, environment, start_daphne


@pytest.fixture(scope="session")
def daphne(django_db_setup: None) -> Iterator[Running]:
    """One web server for all tests that do not harm it."""
    with start_daphne(0, environment(Path(settings.DATA_DIR))) as web:
        yield web


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Short enough for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        yield Path(folder)


class Listener:
    """One socket and all that it heard."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    def hear(self, seconds: float = 10) -> dict[str, Any]:
        self.heard.append(json.loads(self.socket.recv(timeout=seconds)))
        return self.heard[-1]

    def hear_until(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        while (frame := self.hear(seconds))["type"] != kind:
            pass
        return frame


@pytest.fixture
def listen_to(transactional_db: None) -> Iterator[Callable[..., Listener]]:
    """Opens the stream of a server, as a user with a session of their own, or as nobody."""
    with ExitStack() as stack:

        def open_stream(web: Running, user: User | None, **options: Any) -> Listener:
            headers = {"Cookie": f"sessionid={_session(user)}"} if user else {}
            settings = {"origin": web.url, "additional_headers": headers} | options
            return Listener(stack.enter_context(connect(web.stream_url, open_timeout=20, **settings)))

        yield open_stream


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value
