"""A proxy before the site: it counts requests, lets no socket pass when told, and can be cut like a cable.

with standing_before(web.url) as front:
    front.refuses_sockets = True
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.faults.proxy import Line, LineCut
from tests.processes import HOST

REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")
UPGRADE = re.compile(rb"\r\nupgrade: *websocket\r\n", re.IGNORECASE)
LONGEST_HOLD = 30.0  # seconds
REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Front:
    def __init__(self, target: str) -> None:
        self.requests: list[str] = []
        """Method and path of each, in order, as they came over the wire."""
        self.refuses_sockets = False
        self._held_end = ""
        self._holds = threading.Event()
        self._lets_go = threading.Event()
        self.lead_to(target)
        self._is_cut = False
        self._lines: list[Line] = []
        self._listener = socket.create_server((HOST, 0))
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"

    @property
    def downloads(self) -> int:
        return sum(request.startswith("GET ") and request.endswith("/download") for request in self.requests)

    def lead_to(self, target: str) -> None:
        """New connections go to this server."""
        there = urlsplit(target)
        self._target = (there.hostname, there.port)

    @contextmanager
    def holding(self, end: str) -> Iterator[threading.Event]:
        """Requests to paths with that end get no further meanwhile; the event says that there is one."""
        self._holds.clear()
        self._lets_go.clear()
        self._held_end = end
        try:
            yield self._holds
        finally:
            self._held_end = ""
            self._lets_go.set()

    def cut(self) -> None:
        """Break every connection, and each new one at once."""
        self._is_cut = True
        while self._lines:
            line = self._lines.pop()
            for end in (line.client, line.server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._connect(client)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _connect(self, client: socket.socket) -> None:
        try:
            if self._is_cut:
                raise ConnectionRefusedError
            line = Line(client, socket.create_connection(self._target))
        except OSError:
            client.close()
            return
        self._lines.append(line)
        threading.Thread(target=line.pump, args=[self._watch], daemon=True).start()

    def _watch(self, line: Line, chunk: bytes) -> None:
        """A browser sends the head of a request in one piece; after an upgrade there are none."""
        request = None if line.is_marked else REQUEST.match(chunk)
        if request is None:
            return
        self.requests.append(b" ".join(request.groups()).decode())
        if self._held_end and self.requests[-1].endswith(self._held_end):
            self._holds.set()
            self._lets_go.wait(LONGEST_HOLD)
            if _is_gone(line.client):
                raise LineCut
        line.is_marked = bool(UPGRADE.search(chunk))
        if line.is_marked and self.refuses_sockets:
            line.client.sendall(REFUSAL)
            raise LineCut


def _is_gone(client: socket.socket) -> bool:
    """Whether the browser has given the request up."""
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


@contextmanager
def standing_before(target: str) -> Iterator[Front]:
    front = Front(target)
    serving = threading.Thread(target=front.serve, daemon=True)
    serving.start()
    try:
        yield front
    finally:
        front.close()
        serving.join(10)
