"""The running web server meets bytes that no browser sends: it answers or hangs up, lives on and stays calm."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import HOST, Running, environment, start_daphne

END = b"\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
UPGRADE = (
    b"GET /ws/exports/ HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
)
REQUESTS = {
    "nothing but garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
    "no version": b"GET /" + END,
    "an unknown version": b"GET / HTTP/9.9" + END,
    "an unknown method": b"BREW / HTTP/1.1" + END,
    "a method of control characters": b"\x01\x02 / HTTP/1.1" + END,
    "a NUL in the path": b"GET /\x00 HTTP/1.1" + END,
    "an encoded NUL": b"GET /%00 HTTP/1.1" + END,
    "bad UTF-8 in the path": b"GET /\xff\xfe HTTP/1.1" + END,
    "encoded bad UTF-8": b"GET /api/projects/%ff%fe HTTP/1.1" + END,
    "an encoded surrogate": b"GET /%ed%a0%80 HTTP/1.1" + END,
    "half an escape": b"GET /%e HTTP/1.1" + END,
    "bad UTF-8 in the query": b"GET /exports/?q=%ff&\xff=\x00 HTTP/1.1" + END,
    "a whole address": b"GET http://evil.example/ HTTP/1.1" + END,
    "a port to connect to": b"CONNECT evil.example:80 HTTP/1.1" + END,
    "a star": b"OPTIONS * HTTP/1.1" + END,
    "folders above": b"GET /static/../../../../etc/passwd HTTP/1.1" + END,
    "encoded folders above": b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1" + END,
    "backslashes": b"GET /static/..\\..\\etc\\passwd HTTP/1.1" + END,
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: evil.example" + END,
    "a host of garbage": b"GET / HTTP/1.0\r\nHost: \xff\x00:99999999\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nnonsense" + END,
    "a header without a name": b"GET / HTTP/1.1\r\n: x" + END,
    "a folded header": b"GET / HTTP/1.1\r\nX-A: b\r\n c: d" + END,
    "a NUL in a header": b"GET / HTTP/1.1\r\nX-A: \x00\x01" + END,
    "a cookie of bytes": b"GET / HTTP/1.1\r\nCookie: sessionid=\xff\xfe; csrftoken=\x00; =; ;;" + END,
    "a language of bytes": b"GET / HTTP/1.1\r\nAccept-Language: \xff;q=\xff,*;q=9" + END,
    "a length below nothing": POST + b"Content-Length: -1\r\n\r\n",
    "a length in letters": POST + b"Content-Length: many\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of no number": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
    "chunks below nothing": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    "a chunk of any length": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "an unknown transfer": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a form of no form": POST + b"Content-Type: multipart/form-data; boundary=\xff\r\nContent-Length: 4\r\n\r\n\xff\0--",
    "an upgrade to nothing": b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\nHost: localhost\r\n\r\n",
    "a socket without a key": UPGRADE + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a socket of another version": UPGRADE + b"Connection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n\r\n",
    "a socket by POST": UPGRADE.replace(b"GET", b"POST") + b"Connection: Upgrade\r\nContent-Length: 0\r\n\r\n",
    "a socket elsewhere": UPGRADE.replace(b"/ws/exports/", b"/ws/\xff/%00") + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "the next protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    hurried = {"RECEIVE_TIMEOUT": "1 s"}
    with start_daphne(0, environment(settings.DATA_DIR, **hurried)) as running:
        yield running


def answer(web: Running, sent: bytes) -> bytes:
    port = int(web.url.rpartition(":")[2])
    parts = []
    with (
        closing(socket.create_connection((HOST, port), timeout=2)) as connection,
        suppress(ConnectionError, TimeoutError),  # what asked for an upgrade is kept open
    ):
        connection.sendall(sent)
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def alarms(log: Path) -> list[str]:
    """Lines that are no events, or louder than what a client can be blamed for."""
    lines = [each for each in log.read_text().splitlines() if each.strip()]
    return [each for each in lines if not each.startswith("{") or _level(each) not in ("info", "warning")]


def _level(line: str) -> str:
    return str(json.loads(line)["level"])


@pytest.mark.parametrize("kind", REQUESTS)
def test_it_is_refused_calmly(web: Running, kind: str) -> None:
    before = len(alarms(web.output))
    said = answer(web, REQUESTS[kind])
    assert said == b"" or said.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 3", b"HTTP/1.1 20"))
    assert b"root:" not in said
    assert alarms(web.output)[before:] == []
    assert b" 200 OK" in answer(web, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
