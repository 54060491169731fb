"""A short history in which every promise is kept, and ways to break one.

`a` completes and is downloaded; `b` is cancelled while it runs; `c` is cancelled once it has completed.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.chaos.history import Record

HASH = "5" * 64
Story = Callable[[], list[Record]]


def call(op: str, job: str, t0: float, status: int | None = 200, **told: Any) -> Record:
    empty = {"code": None, "version": None, "job_status": None, "key": None, "new": None, "bytes": None}
    asked = {"op": op, "client": "alice-1", "user": 1, "t0": t0, "t1": t0 + 0.1, "project": "p"}
    return {**asked, **empty, "status": status, "job": job, **told}


def cancel(job: str, t0: float, version: int, **told: Any) -> Record:
    said = {"version": version, "job_status": "cancelled", "cancelled_at": f"cancelled {job}"}
    return call("cancel", job, t0, **{**said, **told})


def download(job: str, t0: float, **told: Any) -> Record:
    body = {"bytes": 10, "sha256": HASH, "whole": True, "etag": f'"{HASH}"', "generations": [1]}
    return call("download", job, t0, **{**body, **told})


def frame(job: str, t1: float, kind: str, version: int, socket: str = "s1") -> Record:
    seen = {"op": "frame", "user": 1, "socket": socket, "t1": t1}
    return {**seen, "type": f"export:{kind}", "job": job, "version": version, "job_status": None}


def snapshot(t1: float, socket: str = "s1", **jobs: list[Any]) -> Record:
    return {"op": "snapshot", "user": 1, "socket": socket, "t1": t1, "jobs": jobs}


def sample(t1: float, active: int = 0, **jobs: list[Any]) -> Record:
    counted = {"op": "sample", "t0": t1 - 0.1, "t1": t1, "deadlocks": 0, "idle_in_transaction": 0.0}
    return {**counted, "active": {"1": active}, "jobs": jobs}


def row(job: str, status: str, sequence: int, **columns: Any) -> Record:
    own = {"id": job, "user_id": 1, "project_id": "p", "options_digest": f"options {job}", "status": status}
    file = {"file_name": None, "file_size": None, "sha256": None, "download_count": 0, "error_code": None}
    counts = {"sequence": sequence, "attempt": 1, "losses": 0, "auto_download_claimed": False}
    return {**own, **file, **counts, **columns}


def moves(job: str, *steps: tuple[str, str, int], first: int = 0) -> list[Record]:
    """Steps are reason, new status and attempt; a second each, the `first` one at that second."""
    rows: list[Record] = []
    for number, (reason, status, attempt) in enumerate(steps, 1):
        at = f"2000-01-01T00:00:{first + number:02}+00:00"
        before = rows[-1]["to_status"] if rows else ""
        move = {"job_id": job, "sequence": number, "from_status": before, "to_status": status, "at": at}
        rows.append({**move, "reason": reason, "attempt": attempt, "detail": {"version": number}})
    return rows


def good() -> list[Record]:
    return deepcopy([*_CALLS, *_STREAM, sample(2.0, 2, b=["processing", 2]), _FINAL])


BEGUN = (("requested", "pending", 0), ("claimed", "processing", 1))
BUILT = (*BEGUN, ("built", "completed", 1))
CANCELLED = ("user_cancelled", "cancelled", 1)

_CALLS = [
    {"op": "edit", "project": "p", "generation": 1, "t0": 0.0, "t1": 0.1},
    call("start", "a", 1.0, 202, version=1, job_status="pending", new=True, key="k"),
    call("start", "b", 1.0, 202, version=1, job_status="pending", new=True),
    cancel("b", 3.0, 3),
    call("status", "b", 4.0, version=3, job_status="cancelled"),
    call("download", "b", 4.0, 410, code="export_cancelled", cancelled_at="cancelled b"),
    call("auto", "a", 4.5),
    download("a", 5.0),
    call("cancel", "a", 6.0, 409, code="already_downloaded"),
    {"op": "access", "user": 2, "project": "p", "allowed": False, "t0": 5.0, "t1": 5.1},
    {"op": "fault", "name": "H9", "t0": 2.0, "t1": 2.1, "detail": ""},
]

_STREAM = [
    snapshot(1.0),
    frame("a", 1.2, "queued", 1),
    frame("b", 1.2, "queued", 1),
    frame("b", 3.1, "cancelled", 3),
    frame("b", 3.5, "cleanup:completed", 4),
    frame("a", 3.6, "completed", 3),
    snapshot(6.0, a=[5, "completed"], b=[4, "cancelled"]),
]

FILE = {"file_name": "a-1.zip", "file_size": 10, "sha256": HASH}
_A = (
    ("auto_download_claimed", "completed", 1),
    ("downloaded", "completed", 1),
    ("cancel_refused", "completed", 1),
)
_B = CANCELLED, ("cleaned", "cancelled", 1), ("download_refused", "cancelled", 1)

_FINAL = {
    "op": "final",
    "t1": 60.0,
    "jobs": [
        row("a", "completed", 6, download_count=1, auto_download_claimed=True, **FILE),
        row("b", "cancelled", 5),
        row("c", "cancelled", 4),
    ],
    "transitions": [
        *moves("a", *BUILT, *_A),
        *moves("b", *BEGUN, *_B),
        *moves("c", *BUILT, CANCELLED, first=20),
    ],
    "files": [{"name": "published/a-1.zip", "size": 10, "sha256": HASH}],
    "processes": [],
    "refused_writes": 0,
    "limits": {"max_active": 3, "max_attempts": 3},
}


def adding(*records: Record) -> Story:
    return lambda: good() + deepcopy(list(records))


def live(*records: Record) -> Story:
    """As `adding`, while the run goes on: nothing is known of the rows."""
    return lambda: good()[:-1] + deepcopy(list(records))


def with_final(**fields: Any) -> Story:
    return lambda: [*good()[:-1], {**deepcopy(_FINAL), **fields}]


def with_jobs(jobs: list[Record], rows: list[Record]) -> Story:
    """More jobs, and their audit."""
    return with_final(jobs=[*_FINAL["jobs"], *jobs], transitions=[*_FINAL["transitions"], *rows])


def with_row(job: str, **columns: Any) -> Story:
    rows = [each | columns if each["id"] == job else each for each in _FINAL["jobs"]]
    return with_final(jobs=rows)


def with_move(job: str, number: int, **columns: Any) -> Story:
    key = (job, number)
    rows = _FINAL["transitions"]
    return with_final(
        transitions=[each | columns if (each["job_id"], each["sequence"]) == key else each for each in rows]
    )
