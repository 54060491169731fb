"""A connection to PostgreSQL that breaks at a chosen COMMIT.

with proxy(hub) as line, start_daphne(0, hub.environment | {"DATABASE_URL": line.url}) as web:
    line.at_commit(line.cut_after, having=b"'cancelled'")
"""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from config.embedded.places import addresses
from config.embedded.postgres import DATABASE
from tests.stack import Stack

SOCKET = ".s.PGSQL.5432"
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""A simple query, as psycopg sends it: alone, because it waits for each answer."""

HEADER = 5  # bytes before the words of a query


class LineCut(Exception):
    """Both ends of the connection are closed."""


class Line:
    """One connection: what the client says goes to the server, and back."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.is_marked = False
        """Whether the transaction under way holds what the proxy waits for."""

    def pump(self, on_request: Callable[[Line, bytes], None]) -> None:
        with suppress(OSError, LineCut), self.client, self.server:
            while True:
                for end in select.select([self.client, self.server], [], [])[0]:
                    chunk = end.recv(1 << 16)
                    if not chunk:
                        return
                    if end is self.server:
                        self.client.sendall(chunk)
                    else:
                        on_request(self, chunk)
                        with suppress(BrokenPipeError):  # what the server said last is still passed on
                            self.server.sendall(chunk)


Moment = Callable[[Line], None]


class Proxy:
    def __init__(self, folder: Path, target: Path) -> None:
        self.url = f"postgres://postgres@{quote(str(folder), safe='')}:5432/{DATABASE}"
        self._target = target
        self._armed: tuple[Moment, bytes] | None = None
        self._has_struck = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()

    def at_commit(self, moment: Moment, having: bytes) -> None:
        """Once, when the COMMIT of a transaction that said `having` arrives: before it is passed on."""
        self._has_struck.clear()
        self._armed = (moment, having)

    def wait_until_struck(self, seconds: float = 30) -> None:
        assert self._has_struck.wait(seconds), "no such COMMIT came"

    @staticmethod
    def cut_before(_line: Line) -> None:
        """The server never hears of the COMMIT."""
        raise LineCut

    @staticmethod
    def cut_after(line: Line) -> None:
        """The server commits, the client never hears of it."""
        line.server.sendall(COMMIT)
        assert b"COMMIT" in line.server.recv(1 << 16)
        raise LineCut

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._target))
                except OSError:
                    client.close()
                    continue
                threading.Thread(target=Line(client, server).pump, args=[self._watch], daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _watch(self, line: Line, chunk: bytes) -> None:
        if self._armed is None:
            return
        moment, having = self._armed
        line.is_marked = having in chunk or (line.is_marked and not chunk.startswith(b"BEGIN", HEADER))
        if line.is_marked and chunk == COMMIT:
            self._armed = None
            self._has_struck.set()
            moment(line)


@contextmanager
def proxy(hub: Stack) -> Iterator[Proxy]:
    with ExitStack() as rooms:
        folder = Path(rooms.enter_context(tempfile.TemporaryDirectory(prefix="line-")))
        found = Proxy(folder, addresses(hub.data_dir).postgres_socket_folder / SOCKET)
        serving = threading.Thread(target=found.serve, daemon=True)
        serving.start()
        rooms.callback(serving.join, 10)
        rooms.callback(found.close)
        yield found
