"""A private PostgreSQL, Valkey and store for one run of the benchmarks, and the processes that use them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench.sizes import Size
from config import embedded

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Place:
    environment: dict[str, str]

    def make(self, size: Size) -> None:
        """Store the project of this size."""
        subprocess.run(_command("make", size), env=self.environment, check=True)

    def measure(self, side: str, size: Size) -> dict[str, Any]:
        """The outcome of one side, with `peak_pss` in bytes: of the process and its children, sampled."""
        command = _command(side, size)
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE) as child:
            peak = _peak_pss(child)
            output = child.stdout.read() if child.stdout else b""
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        return {**orjson.loads(output), "peak_pss": peak}


@contextmanager
def prepared(log: Callable[[str], None]) -> Iterator[Place]:
    """Everything goes at the end."""
    folder = Path(tempfile.mkdtemp(prefix="exports-bench-"))
    folder.chmod(0o755)  # root's PostgreSQL runs as another user
    try:
        with embedded.running(folder, log=log):
            yield Place(_environment(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    ours = {"DATA_DIR": str(folder), "SECRET_KEY": "only-for-benchmarks", "DEBUG": "false"}
    # Queries of a large project are longer than a page may wait.
    return kept | ours | {"LOG_LEVEL": "ERROR", "STATEMENT_TIMEOUT_MS": "30000"}


def _command(side: str, size: Size) -> list[str]:
    return [sys.executable, "-m", "bench.child", side, size.name]


def _peak_pss(child: subprocess.Popen[bytes]) -> int:
    """Until it ends. Its output is small enough to wait in the pipe."""
    process, peak = psutil.Process(child.pid), 0
    while True:
        with suppress(psutil.Error):
            everyone = [process, *process.children(recursive=True)]
            peak = max(peak, sum(each.memory_full_info().pss for each in everyone))
        with suppress(subprocess.TimeoutExpired):
            child.wait(SAMPLE_SECONDS)
            return peak
