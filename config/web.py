"""daphne, patient with slow readers: `python -m config.web` takes daphne's own arguments.

daphne takes whatever an application sends into memory, so one slow download of a large archive would fill
it. Here the application waits, between two chunks of a body, until the transport asks for more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Gate:
    """What Twisted opens and closes as its buffer drains and fills."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:
        self._open.clear()

    def resumeProducing(self) -> None:
        self._open.set()

    def stopProducing(self) -> None:
        """The reader has gone; daphne drops whatever else comes."""
        self._open.set()

    async def passed(self) -> None:
        await self._open.wait()


class PatientServer(Server):  # type: ignore[misc]  # daphne has no types
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            # What was begun cannot become an error page: daphne would fail trying, and never look again. A cut
            # connection is what tells the reader that the answer is not whole.
            protocol.handle_exception = lambda _error: protocol.loseConnection()
        is_more_to_come = message["type"] == "http.response.body" and bool(message.get("more_body"))
        gate = getattr(protocol, "gate", None)
        if is_more_to_come and gate is None:
            gate = _gate_of(protocol)
        elif gate and not is_more_to_come:
            protocol.unregisterProducer()
            protocol.gate = None
        with _of_any_size(protocol):
            await super().handle_reply(protocol, message)
        if gate and is_more_to_come:
            await gate.passed()


@contextmanager
def _of_any_size(protocol: Any) -> Iterator[None]:
    """Autobahn holds what is sent to the limit for what may be received; a snapshot of many exports is longer."""
    limit = getattr(protocol, "maxMessagePayloadSize", None)
    if limit is None:
        yield
        return
    protocol.maxMessagePayloadSize = 0
    try:
        yield
    finally:
        protocol.maxMessagePayloadSize = limit


class Web(CommandLineInterface):  # type: ignore[misc]
    server_class = PatientServer


def _gate_of(request: WebRequest) -> Gate | None:
    """None when the reader has gone already."""
    if request.channel is None:
        return None
    gate = request.gate = Gate()
    request.registerProducer(gate, True)
    return gate


if __name__ == "__main__":
    # Before the settings are read. A request's thread is new, and a connection of its own cost it 12 ms.
    os.environ.setdefault("DATABASE_POOL", "50")
    Web.entrypoint()
