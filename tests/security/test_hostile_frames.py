"""Frames that no page sends, through the running server: one bad message closes nothing, a broken protocol does."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from exports import tokens
from tests.processes import HOST, Running, environment, start_daphne
from tests.security.test_hostile_bytes import alarms

TEXT, BINARY, CONTINUED, CLOSE, PING = 1, 2, 0, 8, 9
PING_US = b'{"type": "ping"}'
HANDSHAKE = (
    "GET /ws/exports/?token={token} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MESSAGES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "deep JSON": b"[" * 4000 + b"]" * 90,
    "deep objects": b'{"a":' * 700 + b"1" + b"}" * 700,
    "too much": b'{"type": "' + b"x" * 60_000 + b'"}',
    "a number without end": b"1" * 4090,
    "no number": b'{"type": NaN}',
    "infinity": b'{"type": -Infinity, "x": 1e999}',
    "a surrogate": b'{"type": "\\ud800"}',
    "a NUL": b'{"type": "ping\\u0000"}',
    "a type of another type": b'{"type": {"type": "ping"}}',
    "a list of types": b'{"type": ["ping"]}',
    "names of our own": b'{"type": "export:completed", "jobId": "x", "version": 9}',
    "a call of a method": b'{"type": "websocket.close"}',
    "two types": b'{"type": "x", "type": "y"}',
}
BROKEN: dict[str, bytes] = {
    "text that is no UTF-8": b"\x81\x83\0\0\0\0\xff\xfe\xfd",
    "a frame without a mask": b"\x81\x02{}",
    "an unknown kind": b"\x83\x80\0\0\0\0",
    "reserved bits": b"\xf1\x80\0\0\0\0",
    "a continuation of nothing": b"\x80\x80\0\0\0\0",
    "a ping that is too long": b"\x89\xfe\x01\x00\0\0\0\0" + bytes(256),
    "a frame of any length": b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
    "a close without a reason": b"\x88\x81\0\0\0\0\1",
    "a close with a code of nobody": b"\x88\x82\0\0\0\0\0\1",
}


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[Running]:
    with start_daphne(0, environment(settings.DATA_DIR)) as running:
        yield running


def frame(kind: int, content: bytes, final: int = 0x80) -> bytes:
    """Masked with zeros; RFC 6455, section 5.2."""
    length = len(content)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return bytes([final | kind]) + size + bytes(4) + content


class Socket:
    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rwb")

    def send(self, content: bytes) -> None:
        self._file.write(content)
        self._file.flush()

    def hear(self) -> tuple[int, bytes]:
        """The kind of the next frame, CLOSE also where the connection just ends, and its content."""
        try:
            head = self._file.read(2)
        except ConnectionResetError:
            head = b""
        if len(head) < 2:
            return CLOSE, b""
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(self._file.read(2), "big")
        return head[0] & 0x0F, self._file.read(length)

    def hear_json(self) -> Any:
        kind, content = self.hear()
        assert kind == TEXT
        return json.loads(content)

    def shake_hands(self, token: str) -> None:
        self.send(HANDSHAKE.format(token=token).encode())
        assert b" 101 " in self._file.readline()
        while self._file.readline() != b"\r\n":
            pass
        assert self.hear_json() == {"type": "export:snapshot", "jobs": []}


@contextmanager
def opened(web: Running, user: User) -> Iterator[Socket]:
    address = (HOST, int(web.url.rpartition(":")[2]))
    with closing(socket.create_connection(address, timeout=10)) as connection:
        stream = Socket(connection)
        stream.shake_hands(tokens.for_stream(user).text)
        yield stream


def test_no_message_closes_the_socket(web: Running, mallory: User) -> None:
    before = len(alarms(web.output))
    with opened(web, mallory) as stream:
        for name, message in MESSAGES.items():
            stream.send(frame(TEXT, message))
            assert stream.hear_json()["type"] == "error", name
        stream.send(frame(BINARY, b"\xff\x00"))
        assert stream.hear_json()["code"] == "binary_not_supported"
        stream.send(frame(TEXT, PING_US))
        assert stream.hear_json() == {"type": "pong"}
    assert alarms(web.output)[before:] == []


def test_a_message_in_pieces_with_a_ping_between_is_one(web: Running, mallory: User) -> None:
    with opened(web, mallory) as stream:
        stream.send(frame(TEXT, PING_US[:5], final=0))
        stream.send(frame(PING, b"now"))
        assert stream.hear() == (10, b"now")
        for letter in PING_US[5:-1]:
            stream.send(frame(CONTINUED, bytes([letter]), final=0))
        stream.send(frame(CONTINUED, PING_US[-1:]))
        assert stream.hear_json() == {"type": "pong"}


def test_a_broken_protocol_ends_that_socket_only(web: Running, mallory: User) -> None:
    before = len(alarms(web.output))
    with opened(web, mallory) as other:
        for name, content in BROKEN.items():
            with opened(web, mallory) as stream:
                stream.send(content)
                assert stream.hear()[0] == CLOSE, name
        other.send(frame(TEXT, PING_US))
        assert other.hear_json() == {"type": "pong"}
    assert alarms(web.output)[before:] == []


def test_a_client_that_leaves_in_the_middle_of_a_message_is_let_go(web: Running, mallory: User) -> None:
    before = len(alarms(web.output))
    for content in (b"", b"\x81", b"\x81\xfe\xff\xff\0\0\0\0{", frame(TEXT, b"{", final=0)):
        with opened(web, mallory) as stream:
            stream.send(content)
    with opened(web, mallory) as stream:
        stream.send(frame(TEXT, PING_US))
        assert stream.hear_json() == {"type": "pong"}
    assert alarms(web.output)[before:] == []
