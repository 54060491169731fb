"""The hub while it runs: its servers and programs, started again whenever a fault has ended them."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
from redis import Redis
from redis.exceptions import RedisError

from config import embedded
from config.supervisor import Program, Supervisor
from tests.chaos.course import now
from tests.processes import HOST, ROOT

TICK_SECONDS = 0.1
SERVERS = ("bin/postgres", "valkey-server")


class Hub:
    """Only `start`, `keep` and `stop` start programs, all in one thread: the kernel ends them with it."""

    def __init__(self, data_dir: Path, port: int, has_small_disk: bool) -> None:
        self.data_dir = data_dir
        self.port = port
        self.has_small_disk = has_small_disk
        self._servers = embedded.Servers(data_dir, log=_silent, postgres=True, redis=True, durable=True)
        self._supervisor: Supervisor | None = None
        self._servers_due = 0.0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def exports(self) -> Path:
        return self.data_dir / "exports"

    def start_servers(self) -> None:
        self._servers.start_missing()

    def start_programs(self, groups: list[list[Program]]) -> None:
        logs = self.data_dir / "logs"
        self._supervisor = Supervisor(groups, folder=ROOT, logs=logs, log=_silent)
        self._supervisor.start()

    def keep(self, ends: Callable[[], bool]) -> None:
        """Start again what has ended, until `ends` says so."""
        while not ends():
            if self._supervisor is not None:
                self._supervisor.keep_running()
            if now() >= self._servers_due:
                with suppress(psycopg.OperationalError):  # its connection was cut: the next tick looks again
                    self._servers.start_missing()
            time.sleep(TICK_SECONDS)

    def leave_servers_down(self, seconds: float) -> None:
        self._servers_due = now() + seconds

    def stop_programs(self) -> None:
        if self._supervisor is not None:
            self._supervisor.stop()

    def stop_servers(self) -> None:
        self._servers.stop(patience=0.0)

    def connect(self) -> psycopg.Connection[Any]:
        folder = self._servers.addresses.postgres_socket_folder
        login = f"host='{folder}' port=5432 user=postgres dbname=exports connect_timeout=5"
        return psycopg.connect(login, autocommit=True)

    def redis(self) -> Redis:
        return Redis.from_url(self._servers.addresses.redis_url, socket_timeout=3, socket_connect_timeout=3)

    def is_whole(self) -> bool:
        """Everything answers."""
        return self.database_answers() and self.redis_answers() and self.web_answers()

    def database_answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def redis_answers(self) -> bool:
        try:
            with self.redis() as redis:
                return bool(redis.ping())
        except RedisError:
            return False

    def web_answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def workers(self) -> list[psutil.Process]:
        return self.processes("rqworker")

    def horses(self) -> list[psutil.Process]:
        return [horse for worker in self.workers() for horse in children(worker)]

    def processes(self, word: str) -> list[psutil.Process]:
        """Our children whose command has this word."""
        return [each for each in children(psutil.Process()) if word in _command(each)]

    def leftovers(self) -> list[str]:
        """Commands of the programs of this data folder that still run; its two servers are still needed."""
        mine = f"DATA_DIR={self.data_dir}\0".encode()
        found = [pid for pid in psutil.pids() if pid != os.getpid() and mine in _environment(pid)]
        commands = [_command_of(pid) for pid in found]
        return [command for command in commands if command and not any(name in command for name in SERVERS)]


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.Error:
        return []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _command_of(pid: int) -> str:
    with suppress(psutil.Error):
        return _command(psutil.Process(pid))
    return ""


def _silent(_sentence: str) -> None:
    """Restarts are the point of the exercise."""
