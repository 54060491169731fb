"""What `make run` runs, in a data folder of its own, as a person starts it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from config import embedded

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "SUPERVISED",
    "DATA_DIR",
    "PORT",
    "HOST",
}
UP = (sys.executable, "manage.py", "up")
START_SECONDS = 120.0
STOP_SECONDS = 15.0


@contextmanager
def new_data_dir() -> Iterator[Path]:
    """Only the first start in it has to load the demo project."""
    folder = Path(tempfile.mkdtemp(prefix="exports-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(embedded.addresses(folder / "var").redis_socket.parent, ignore_errors=True)
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """What a person's shell has: nothing of what the tests' own servers need."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return inherited | {"DATA_DIR": str(data_dir), "PORT": str(free_port()), "WORKERS": "1"} | more


def refusal(data_dir: Path, **more: str) -> tuple[int, str]:
    ended = subprocess.run(
        UP,
        cwd=ROOT,
        env=environment(data_dir, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


class Site:
    def __init__(self, process: subprocess.Popen[str], data_dir: Path, port: str) -> None:
        self.process = process
        self.data_dir = data_dir
        self.port = port
        self.lines: list[str] = []

    def wait_until_ready(self) -> None:
        """Reads what is printed; a start that never gets ready is killed and so ends the reading."""
        assert self.process.stdout is not None
        alarm = threading.Timer(START_SECONDS, self.process.kill)
        alarm.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Ready:"):
                break
        alarm.cancel()
        assert self.lines[-1].startswith("Ready:"), self.lines

    def family(self) -> list[psutil.Process]:
        members: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return members

    def member(self, word: str) -> psutil.Process:
        return next(child for child in self.family() if word in child.cmdline())

    def successor(self, killed: psutil.Process, word: str) -> psutil.Process:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for child in self.family():
                if child.pid != killed.pid and word in child.cmdline():
                    return child
        raise AssertionError(f"{word} did not come back")

    def readiness(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code


@contextmanager
def site(data_dir: Path, command: Sequence[str] = UP, **more: str) -> Iterator[Site]:
    variables = environment(data_dir, **more)
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        started = Site(process, data_dir, variables["PORT"])
        try:
            started.wait_until_ready()
            yield started
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
