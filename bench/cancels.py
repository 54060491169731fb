"""A cancel while other exports run: until its answer, until the process is gone, until its files are.

The hub is the tests' own stack of real programs: a web server, a worker a core, each busy with an export.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil
from rq import Worker

from tests.stack import Stack, stack

PROJECT = {"images": 60, "size": 1024, "polygons": 100}
WORKERS = 2
PATIENCE = 30.0  # seconds
LOOK = 0.001  # seconds between two looks


@dataclass(frozen=True)
class Cancel:
    """Milliseconds: the answer from the call, the rest from the answer."""

    answered: float
    process_gone: float
    files_gone: float


def measured(count: int) -> dict[str, dict[str, float]]:
    """p50, p99 and the longest of each, in milliseconds."""
    with stack(workers=WORKERS, users=("alice", "bob", "admin"), projects={"big": PROJECT}) as hub:
        others = _Busy(hub, "bob")
        found = [_cancel(hub, number, others) for number in range(count)]
    return {name: _spread([getattr(each, name) for each in found]) for name in Cancel.__annotations__}


class _Busy:
    """Somebody else's export, always one under way."""

    def __init__(self, hub: Stack, user: str) -> None:
        self._hub = hub
        self._user = user
        self._started = 0
        self._job = ""

    def keep(self) -> None:
        if not self._job or _status(self._hub, self._job)[0] not in ("pending", "processing"):
            self._started += 1
            self._job = _start(self._hub, self._user, self._started)
            _until(lambda: _status(self._hub, self._job)[1] == "images")


def _cancel(hub: Stack, number: int, others: _Busy) -> Cancel:
    others.keep()
    job = _start(hub, "alice", number)
    _until(lambda: _status(hub, job)[1] == "images")
    horse = _horse(hub, job)
    began = time.perf_counter()
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("POST", f"{hub.exports('big')}/{job}/cancel", headers=_login(hub, "alice"))
    answer = connection.getresponse()
    answered = time.perf_counter()
    if answer.status != 200:
        raise RuntimeError(f"The cancel was answered with {answer.status}.")
    connection.close()
    _until(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE)
    gone = time.perf_counter()
    _until(lambda: not list((hub.data_dir / "exports").glob(f"*/{job}-*")))
    clean = time.perf_counter()
    return Cancel(1000 * (answered - began), 1000 * (gone - answered), 1000 * (clean - answered))


def _start(hub: Stack, user: str, number: int) -> str:
    options = {"pixelToMicrometerScale": 0.1 + number / 1000}  # another each time, or it were the same export
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=PATIENCE)
    body = json.dumps({"options": options})
    headers = {"Content-Type": "application/json", **_login(hub, user)}
    connection.request("POST", hub.exports("big"), body, headers)
    started: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return str(started["jobId"])


def _login(hub: Stack, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.users[user].token}"}


def _status(hub: Stack, job: str) -> tuple[str, str]:
    status, stage = hub.sql("SELECT status, stage FROM exports_exportjob WHERE id = %s", [job])[0]
    return status, stage


def _horse(hub: Stack, job: str) -> psutil.Process:
    """The process that builds the job."""
    with hub.redis() as redis:
        at_work = {worker.get_current_job_id(): worker.pid for worker in Worker.all(connection=redis)}
    return next(
        psutil.Process(pid).children()[0] for call, pid in at_work.items() if call and pid and job in call
    )


def _until(condition: Callable[[], object]) -> None:
    deadline = time.perf_counter() + PATIENCE
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError("It did not happen.")
        time.sleep(LOOK)


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": median(ordered),
        "p99": ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        "longest": ordered[-1],
    }
