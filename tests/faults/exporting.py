"""An export of a stack, as its client and its database see it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

import psutil

from tests.processes import Running
from tests.stack import Answer, Stack, call

PATIENCE = 90.0  # seconds
PROJECTS = {
    "small": {"images": 3, "size": 64, "polygons": 3},
    "big": {"images": 16, "size": 1024, "polygons": 60},
}
"""The big one takes long enough that a fault meets it under way."""


@dataclass(frozen=True)
class Export:
    hub: Stack
    path: str
    id: str

    @property
    def status(self) -> str:
        return str(self.column("status"))

    def column(self, name: str) -> Any:
        [(value,)] = self.hub.sql(f"SELECT {name} FROM exports_exportjob WHERE id = %s", [self.id])
        return value

    def moves(self) -> list[str]:
        """The statuses that it came to, in order."""
        changes = "SELECT to_status FROM exports_transition WHERE job_id = %s AND from_status <> to_status"
        return [status for (status,) in self.hub.sql(f"{changes} ORDER BY sequence", [self.id])]

    def cancel(self, url: str | None = None, timeout: float = 10.0) -> Answer:
        token = self.hub.users["alice"].token
        return call(url or self.hub.url, "POST", f"{self.path}/cancel", token, timeout=timeout)

    def download(self) -> Answer:
        return self.hub.call("GET", f"{self.path}/download", self.hub.users["alice"].token)

    def is_whole(self) -> bool:
        """Whether the file is there as the row says."""
        path = self.hub.data_dir / "exports" / "published" / self.column("file_name")
        content = path.read_bytes() if path.exists() else b""
        return hashlib.sha256(content).hexdigest() == self.column("sha256")

    def wait_until(self, *statuses: str) -> None:
        until(lambda: self.status in statuses, f"{self.id} is {', '.join(statuses)}")

    def wait_until_under_way(self) -> None:
        until(lambda: self.column("stage") == "images", f"{self.id} is under way")


def start(hub: Stack, project: str = "small", **options: Any) -> Export:
    """An export of Alice's."""
    answer = ask_to_start(hub, project, **options)
    assert answer.status == 202, answer
    return found(hub, project, answer)


def ask_to_start(
    hub: Stack, project: str = "small", url: str | None = None, key: str | None = None, **options: Any
) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"options": options}
    return call(url or hub.url, "POST", hub.exports(project), hub.users["alice"].token, body, headers)


def found(hub: Stack, project: str, answer: Answer) -> Export:
    """The export that the answer names."""
    job_id = answer.json["jobId"]
    return Export(hub, f"{hub.exports(project)}/{job_id}", job_id)


def start_different(hub: Stack, count: int, project: str = "small") -> list[Export]:
    """Exports with options of their own, so that none is taken for another."""
    return [start(hub, project, pixelToMicrometerScale=0.1 + number / 100) for number in range(count)]


def files(hub: Stack) -> list[str]:
    """Names of all that archives occupy on disk, staged and published."""
    return sorted(path.name for path in (hub.data_dir / "exports").glob("*/*"))


def horse_of(worker: Running) -> psutil.Process:
    """The process that builds."""
    until(lambda: children_of(worker), "a work horse")
    return children_of(worker)[0]


def children_of(program: Running) -> list[psutil.Process]:
    children: list[psutil.Process] = psutil.Process(program.process.pid).children()
    return children


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> float:
    """Wait for it; the seconds that it took."""
    begun = monotonic()
    while not condition():
        assert monotonic() - begun < seconds, f"did not happen: {what}"
        sleep(0.02)
    return monotonic() - begun
