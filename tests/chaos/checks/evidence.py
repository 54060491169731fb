"""A history in the order in which the checks ask for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from tests.chaos.history import Record

FETCHES = ("download", "head", "range")
CALLS = frozenset(
    (
        *FETCHES,
        "start",
        "status",
        "cancel",
        "auto",
        "retry",
        "delete",
        "history",
        "audit",
        "token",
        "estimate",
    )
)
ACTIVE = ("pending", "processing")
BUSY = 4.0
"""Processes that wait for each core, beyond which the machine is slow and not the hub."""
MEANINGS = {
    "export:started": "processing",
    "export:progress": "processing",
    "export:completed": "completed",
}


@dataclass(frozen=True)
class Violation:
    """A broken promise, and the records that show it."""

    guarantee: str
    sentence: str
    records: tuple[Record, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join([f"{self.guarantee}: {self.sentence}", *map(str, self.records)])


@dataclass(frozen=True)
class Reading:
    """What a client was told of a job by an answer to what it had asked."""

    job: str
    status: str
    version: int | None
    record: Record


class Evidence:
    """What was seen so far; without a `final` record the run is still going on."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._of: dict[str, list[Record]] = defaultdict(list)
        for record in sorted(records, key=lambda each: each.get("t0") or each["t1"]):
            self._of[record["op"]].append(record)
        self.calls = [record for record in records if record["op"] in CALLS]
        self._told = [record for record in records if record["op"] in ("frame", "snapshot")]

    def of(self, *ops: str) -> list[Record]:
        """Records by their kind, each kind in the order in which they began."""
        return [record for op in ops for record in self._of[op]]

    def accepted(self, *ops: str) -> list[Record]:
        """The calls that were answered with a 2xx."""
        return [call for call in self.of(*ops) if 200 <= (call["status"] or 0) < 300]

    @cached_property
    def acks(self) -> dict[str, Record]:
        """The first acknowledged cancel of each job."""
        answered = sorted(self.accepted("cancel"), key=lambda call: call["t1"], reverse=True)
        return {call["job"]: call for call in answered}

    def after_ack(self, call: Record) -> Record | None:
        """The acknowledged cancel that the caller could have known of when it asked."""
        ack = self.acks.get(call.get("job") or "")
        return ack if ack and call["t0"] > ack["t1"] else None

    @cached_property
    def readings(self) -> list[Reading]:
        """Of all answers, one for each job that they tell of."""
        return [reading for call in self.calls for reading in _readings(call)]

    @cached_property
    def asked_at(self) -> dict[str, float]:
        """When each job was asked for, as far as the answer said that it is a new one."""
        return {call["job"]: call["t0"] for call in self.accepted("start", "retry") if call.get("new")}

    @cached_property
    def known_to_be(self) -> dict[tuple[str, str], float]:
        """When a client first knew that a job had a status."""
        told = [((reading.job, reading.status), reading.record["t1"]) for reading in self.readings]
        for frame in self._of["frame"]:
            told.append(((frame["job"], MEANINGS.get(frame["type"], "")), frame["t1"]))
        return dict(sorted(told, key=itemgetter(1), reverse=True))

    @cached_property
    def sockets(self) -> dict[str, list[Record]]:
        """The frames and snapshots of each socket, as they arrived."""
        return grouped(self._told, "socket")

    @property
    def final(self) -> Record | None:
        return next(iter(self.of("final")), None)

    @cached_property
    def rows(self) -> dict[str, Record]:
        """The jobs' rows at the end, by id."""
        return {row["id"]: row for row in self.final["jobs"]} if self.final else {}

    @cached_property
    def audits(self) -> dict[str, list[Record]]:
        """The audit of each job, in its order; empty for a job that has none."""
        rows = self.final["transitions"] if self.final else []
        found = grouped(sorted(rows, key=lambda row: row["sequence"]), "job_id")
        return {job_id: found.get(job_id, []) for job_id in self.rows} | found

    @cached_property
    def slowness(self) -> float:
        """By how much longer things may take: 1 unless something else keeps the machine busy."""
        return max([1.0, *(sample.get("load", 0.0) / BUSY for sample in self.of("sample"))])

    def overlap(self, call: Record, faults: Iterable[str], recovery: float) -> float:
        """Seconds of the call during, or up to `recovery` seconds after, one of the faults."""
        after = recovery * self.slowness
        windows = [
            (fault["t0"], fault["t1"] + after) for fault in self.of("fault") if fault["name"] in faults
        ]
        shared = [min(call["t1"], end) - max(call["t0"], start) for start, end in windows]
        return max([0.0, *shared])


def grouped(records: Iterable[Record], field: str) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record[field]].append(record)
    return dict(groups)


def _readings(call: Record) -> Iterator[Reading]:
    if call.get("job") and call.get("job_status"):
        yield Reading(call["job"], call["job_status"], call.get("version"), call)
    for job, (version, status) in (call.get("jobs") or {}).items():
        yield Reading(job, status, version, call)
