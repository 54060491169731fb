"""Downloads: how fast one is, beside a plain copy of the same file, and what other requests feel of several.

The hub is the tests' own stack of real programs.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.stack import Stack, stack

CHUNK = 1 << 20  # bytes
PATIENCE = 60.0  # seconds
TURNS = 5
PROJECT = {"small": {"images": 1, "size": 64, "polygons": 3}}


def measured(megabytes: int, requests: int) -> dict[str, float]:
    """Megabytes a second of a download and of curl file://, and p99 in ms of other requests without and with downloads."""
    with stack(workers=1, users=("alice", "admin"), projects=PROJECT) as hub:
        path = _archive(hub, megabytes)
        rates = [(_download(hub, path), _copy(hub, path)) for _ in range(TURNS)]
        alone = _p99(hub, requests)
        with _downloading(hub, path):
            beside = _p99(hub, requests)
    download, copy = (megabytes / median(times) for times in zip(*rates, strict=True))
    return {"download": download, "copy": copy, "alone": alone, "beside": beside}


def _archive(hub: Stack, megabytes: int) -> str:
    """The path of a completed export whose file was made large."""
    started = hub.call("POST", hub.exports("small"), hub.users["alice"].token, {}).json
    status = f"{hub.exports('small')}/{started['jobId']}/status"
    deadline = time.monotonic() + PATIENCE
    while (found := hub.call("GET", status, hub.users["alice"].token).json)["status"] != "completed":
        if time.monotonic() > deadline:
            raise TimeoutError("The export did not complete.")
        time.sleep(0.05)
    _file(hub).write_bytes(os.urandom(CHUNK) * megabytes)
    hub.sql("UPDATE exports_exportjob SET file_size = %s, version = version + 1", [CHUNK * megabytes])
    return str(found["downloadUrl"])


def _file(hub: Stack) -> Path:
    return next((hub.data_dir / "exports" / "published").iterdir())


def _download(hub: Stack, path: str) -> float:
    """Seconds."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("GET", path, headers={"Authorization": f"Bearer {hub.users['alice'].token}"})
    answer = connection.getresponse()
    while answer.read(CHUNK):
        pass
    connection.close()
    return time.perf_counter() - began


def _copy(hub: Stack, _path: str) -> float:
    """Seconds of `curl file://`."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as nowhere:
        subprocess.run(
            ("curl", "-s", f"file://{_file(hub)}"), stdout=subprocess.PIPE, check=True, stderr=nowhere
        )
    return time.perf_counter() - began


@contextmanager
def _downloading(hub: Stack, path: str, readers: int = 4) -> Iterator[None]:
    """Several downloads at a time, again and again."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            _download(hub, path)

    threads = [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _p99(hub: Stack, requests: int) -> float:
    """Milliseconds of a small request."""
    times = sorted(_asked(hub) for _ in range(requests))
    return 1000 * times[min(len(times) - 1, int(0.99 * len(times)))]


def _asked(hub: Stack) -> float:
    began = time.perf_counter()
    answer = hub.call("GET", "/api/projects", hub.users["alice"].token)
    json.loads(answer.body)
    return time.perf_counter() - began
