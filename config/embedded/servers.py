"""The two servers of one data folder as a whole: found, started once, shared, and stopped by their starter."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from config.embedded import places
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey


class Server(Protocol):
    name: str

    def is_ours(self) -> bool:
        """This object started it, and it lives."""

    def answers(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Servers:
    """Two locks in the data folder keep processes apart.

    `start.lock` is held while servers are looked for and started, so that nobody starts a second one.
    `use.lock` is shared by all who use the servers; their starter takes it alone before it stops them.
    """

    def __init__(
        self, data_dir: Path, *, log: Callable[[str], None], postgres: bool, redis: bool, durable: bool
    ) -> None:
        self.addresses = places.addresses(data_dir)
        self._data_dir = data_dir
        self._log = log
        self._use: IO[bytes] | None = None
        self._servers: list[Server] = []
        if postgres:
            self._servers.append(
                Postgres(data_dir, self.addresses.postgres_socket_folder, log, durable=durable)
            )
        if redis:
            self._servers.append(Valkey(data_dir, self.addresses.redis_socket, log, durable=durable))

    def start_missing(self) -> None:
        """Also the way back after a server was killed. Raises EmbeddedServerError."""
        if all(server.is_ours() for server in self._servers):
            return
        places.prepare_data_dir(self._data_dir)
        with self._starting():
            self._share()
            places.prepare_socket_folder(self._data_dir)
            for server in self._servers:
                self._ensure(server)

    def _ensure(self, server: Server) -> None:
        if server.is_ours() or server.answers():
            return
        began = time.monotonic()
        with places.explained(f"{server.name} cannot be started"):
            server.start()
        self._log(f"{server.name} started in {time.monotonic() - began:.1f} s.")

    def wait_until_unused(self, seconds: float) -> None:
        """Let a command that started the servers for itself end, so that the next start is ours."""
        places.prepare_data_dir(self._data_dir)
        with self._lock_file("use.lock") as use:
            if not _locked_alone(use, 0):
                self._log("Another command is using the embedded servers; waiting for it to end.")
                _locked_alone(use, seconds)

    def stop(self, *, patience: float) -> None:
        """Stop what was started here, after at most `patience` seconds for others who use it."""
        started = [server for server in self._servers if server.is_ours()]
        is_alone = bool(started) and self._use is not None and _locked_alone(self._use, patience)
        for server in reversed(started):
            server.stop()
            self._log(f"{server.name} stopped.")
        if is_alone:
            places.remove_socket_folder(self._data_dir)
        if self._use is not None:
            self._use.close()
            self._use = None

    def _share(self) -> None:
        if self._use is None:
            self._use = self._lock_file("use.lock")
            fcntl.flock(self._use, fcntl.LOCK_SH)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with self._lock_file("start.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _lock_file(self, name: str) -> IO[bytes]:
        with places.explained(f"DATA_DIR {self._data_dir} cannot be used"):
            return (self._data_dir / name).open("ab")


def _locked_alone(lock: IO[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        else:
            return True
