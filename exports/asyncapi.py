"""The WebSocket's description, AsyncAPI 3, generated from the models that the server sends."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from pydantic import Field
from pydantic.json_schema import models_json_schema

from exports.events import EVENTS
from exports.schemas import JobView, Outward
from exports.scopes import Scope

ADDRESS = "/ws/exports/"
_CHANNEL = {"$ref": "#/channels/exports"}
_QUERY = {
    "type": "object",
    "properties": {
        "scope": {"type": "string", "enum": [each.value for each in Scope], "default": Scope.OWN.value},
        "token": {"type": "string"},
    },
}


class Snapshot(Outward):
    """The first frame, and the answer to `export:sync`."""

    type: Literal["export:snapshot"]
    jobs: list[JobView] = Field(description="Every active job, and every job changed in the last hour.")


class Sync(Outward):
    """Ask for a fresh snapshot."""

    type: Literal["export:sync"]


class Ping(Outward):
    type: Literal["ping"]


class Pong(Outward):
    type: Literal["pong"]


class Error(Outward):
    """The frame before was not understood; the socket stays open."""

    type: Literal["error"]
    code: str


SENT: tuple[type[Outward], ...] = (Snapshot, *EVENTS, Pong, Error)
RECEIVED: tuple[type[Outward], ...] = (Sync, Ping)


def document() -> dict[str, Any]:
    frames = (*SENT, *RECEIVED)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cell Segmentation Hub: export events",
            "version": settings.VERSION,
            "description": "A client that has seen version n of a job ignores anything about it up to n.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "exports": {
                "address": ADDRESS,
                "title": "All events of the jobs in the socket's scope",
                "bindings": {"ws": {"query": _QUERY}},
                "messages": {
                    each.__name__: {"$ref": f"#/components/messages/{each.__name__}"} for each in frames
                },
            }
        },
        "operations": {
            "sendToClient": _operation("send", SENT),
            "receiveFromClient": _operation("receive", RECEIVED),
        },
        "components": {"messages": {each.__name__: _message(each) for each in frames}, "schemas": _schemas()},
    }


def _operation(action: str, frames: tuple[type[Outward], ...]) -> dict[str, Any]:
    names = [each.__name__ for each in frames]
    messages = [{"$ref": f"#/channels/exports/messages/{name}"} for name in names]
    return {"action": action, "channel": _CHANNEL, "messages": messages}


def _message(frame: type[Outward]) -> dict[str, Any]:
    (name,) = frame.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    payload = {"$ref": f"#/components/schemas/{frame.__name__}"}
    return {"name": name, "title": frame.__name__, "payload": payload}


def _schemas() -> dict[str, Any]:
    """In serialization mode: what is sent always holds every key."""
    frames = [(each, "serialization") for each in (*SENT, *RECEIVED)]
    _, definitions = models_json_schema(frames, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    return found
