"""What the running web server takes in, by raw bytes: too much, too slowly, from too many."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest
from django.conf import settings

from tests.processes import HOST, environment, start_daphne
from tests.waiting import until

BODY = 5 << 20
MOST = 30
FORM = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
HANDSHAKE = b"GET /ws/exports/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    hurried = {"RECEIVE_TIMEOUT": "1 s", "SEND_TIMEOUT": "1 s", "MAX_CONNECTIONS": str(MOST)}
    with start_daphne(0, environment(settings.DATA_DIR, **hurried)) as web:
        yield int(web.url.rpartition(":")[2])


def opened(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=10)
    connection.sendall(sent)
    return connection


def rest(connection: socket.socket) -> bytes:
    """Whatever comes until the server ends the connection."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def answer(port: int, sent: bytes) -> bytes:
    with closing(opened(port, sent)) as connection:
        return rest(connection)


def is_answered(port: int) -> bool:
    return b" 200 OK" in answer(port, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")


@pytest.mark.parametrize("kind", [b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"])
def test_a_body_that_is_too_large_is_refused_before_it_comes(port: int, kind: bytes) -> None:
    head = (
        FORM + b"Content-Type: " + kind + b"\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"
    )
    said = answer(port, head)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"This request is too large" in said
    assert b"Content-Security-Policy" in said


def test_the_api_refuses_it_as_a_problem(port: int) -> None:
    said = answer(
        port, FORM.replace(b"/accounts/login/", b"/api/projects") + b"Content-Length: 5242881\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in said


def test_a_body_in_chunks_is_refused_when_it_grows_too_large(port: int) -> None:
    """Also a client that reads only after it has sent all gets the answer."""
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with closing(opened(port, FORM + b"Transfer-Encoding: chunked\r\n\r\n")) as connection:
        for _ in range(8):
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")
        assert rest(connection).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_is_refused_may_finish_its_sentence(port: int) -> None:
    """A reset would take the answer from many a client that sends all before it reads."""
    with closing(opened(port, FORM + b"Content-Length: 99999999\r\n\r\n")) as connection:
        assert rest(connection).startswith(b"HTTP/1.1 413 ")
        for _ in range(20):
            connection.sendall(bytes(65536))


def test_a_body_of_the_full_size_comes_through(port: int) -> None:
    kind = b"Content-Type: text/plain\r\nConnection: close\r\n"
    sent = FORM + kind + b"Content-Length: %d\r\n\r\n" % BODY + bytes(BODY)
    assert answer(port, sent).startswith(b"HTTP/1.1 403 ")  # it has no CSRF token


@pytest.mark.parametrize(
    "sent",
    [b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 600 + b"\r\n"],
    ids=["a long address", "many headers"],
)
def test_a_head_that_is_too_long_is_refused(port: int, sent: bytes) -> None:
    assert answer(port, sent) in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"")


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n"),
        (FORM + b"Content-Length: 1000\r\n\r\n", b"a"),
        (HANDSHAKE, b"X-A: b\r\n"),
    ],
    ids=["headers", "a body", "a handshake"],
)
def test_who_sends_drop_by_drop_is_let_go(port: int, begun: bytes, drop: bytes) -> None:
    with closing(opened(port, begun)) as connection, suppress(BrokenPipeError, ConnectionResetError):
        connection.settimeout(0.1)
        began = time.monotonic()
        while not _has_ended(connection):
            connection.sendall(drop)
            assert time.monotonic() - began < 10
        assert time.monotonic() - began >= 0.9


def _has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


def test_slow_clients_hold_nobody_up(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(MOST - 5):
            stack.enter_context(closing(opened(port, FORM + b"Content-Length: 9\r\n\r\n")))
        assert is_answered(port)


def test_connections_beyond_the_limit_are_closed_and_their_end_makes_room(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(MOST):
            stack.enter_context(closing(opened(port)))
        assert answer(port, b"") == b""
    until(lambda: is_answered(port))


def test_static_files_are_guarded_too(port: int) -> None:
    said = answer(port, b"GET /static/site/base.css HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b" 200 OK" in said
    for each in (b"default-src 'none'", b"X-Content-Type-Options: nosniff"):
        assert each in said


def test_a_client_cannot_say_where_the_site_lies(port: int) -> None:
    """Its pages would lead elsewhere."""
    head = b"GET /accounts/login/ HTTP/1.0\r\nHost: localhost\r\n"
    said = answer(port, head + b"Daphne-Root-Path: //evil.example\r\n\r\n")
    assert b'action="/language/"' in said
    assert b"evil" not in said


@pytest.mark.parametrize(
    ("host", "origins", "status"),
    [
        ("localhost", ["http://localhost"], 101),
        ("localhost", ["http://localhost:8123"], 101),
        ("localhost", [], 403),
        ("localhost", ["null"], 403),
        ("localhost", ["https://evil.example"], 403),
        ("localhost", ["https://localhost.evil.example"], 403),
        ("localhost", ["http://[localhost"], 400),
        ("localhost", ["file://localhost"], 403),
        ("evil.example", ["http://localhost"], 403),
    ],
)
def test_a_socket_is_opened_for_pages_of_this_site_only(
    port: int, host: str, origins: list[str], status: int
) -> None:
    head = HANDSHAKE.replace(b"localhost", host.encode()) + b"Sec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    said = b"".join(f"Origin: {origin}\r\n".encode() for origin in origins)
    with closing(opened(port, head + key + said + b"\r\n")) as connection:
        assert connection.recv(12) == b"HTTP/1.1 %d" % status
