"""A client of the stream that runs in the test's own event loop, and what moves a job from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from exports import events, lifecycle
from exports.messages import PublishedFile
from exports.models import ExportJob
from projects.models import Project
from tests.jobs import download, request_for

# What moves a job, called from a test's event loop.
claim, beat, complete, cancel, record_download, record_cleanup = (
    sync_to_async(move)
    for move in (
        lifecycle.claim, lifecycle.beat, lifecycle.complete, lifecycle.cancel, download,
        lifecycle.record_cleanup,
    )
)  # fmt: skip
FILE = PublishedFile("x.zip", 10, "0" * 64)
Opener = Callable[..., Any]


@sync_to_async
def request(project: Project, user: User, **choices: Any) -> ExportJob:
    return lifecycle.request(request_for(project, user, **choices))[0]


async def hear(stream: WebsocketCommunicator) -> dict[str, Any]:
    frame: dict[str, Any] = await stream.receive_json_from(timeout=10)
    return frame


async def hear_until(stream: WebsocketCommunicator, kind: str) -> list[str]:
    heard = [(await hear(stream))["type"]]
    while heard[-1] != kind:
        heard.append((await hear(stream))["type"])
    return heard


async def close_code(stream: WebsocketCommunicator) -> int:
    while (message := await stream.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    code: int = message["code"]
    return code


async def pong(stream: WebsocketCommunicator) -> None:
    """Return once the socket has answered; nothing else may have come before."""
    await stream.send_json_to({"type": "ping"})
    assert await hear(stream) == {"type": "pong"}


async def announce(user: User, event: events.Event) -> None:
    await announce_to(events.group_of(user.pk), event)


async def announce_to(group: str, event: events.Event) -> None:
    layer: Any = get_channel_layer()
    await layer.group_send(group, {"type": "export.event", "event": event.as_json()})
