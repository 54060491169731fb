"""daphne, patient with slow readers: `python -m config.web` takes daphne's own arguments.

daphne takes whatever an application sends into memory, so one slow download of a large archive would fill
it. Here the application waits, between two chunks of a body, until the transport asks for more. A reader who takes
nothing at all for SEND_TIMEOUT is let go.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import daphne.server
from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from django.conf import settings
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from config.incoming import Factory

FILES = 65536


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
        """Raise TimeoutError."""
        await asyncio.wait_for(self._open.wait(), settings.SEND_TIMEOUT.total_seconds())


daphne.server.HTTPFactory = Factory  # daphne has no other way to choose it


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
            if protocol.channel is not None:  # None once the reader has gone
                protocol.unregisterProducer()
            protocol.gate = None
        with _of_any_size(protocol):
            await super().handle_reply(protocol, message)
        if gate and is_more_to_come:
            await _read(protocol, gate)


async def _read(protocol: Any, gate: Gate) -> None:
    try:
        await gate.passed()
    except TimeoutError:
        if protocol.channel is not None:
            protocol.channel.transport.abortConnection()


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


def _allow_files() -> None:
    """Each connection is a file, and many systems start a program with 1024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, wanted), most))


if __name__ == "__main__":
    _allow_files()
    # Before the settings are read. A request's thread is new, and a connection of its own cost it 12 ms.
    os.environ.setdefault("DATABASE_POOL", "50")
    Web.entrypoint()
