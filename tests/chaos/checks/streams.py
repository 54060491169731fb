"""G2 and G19: what the sockets told."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.checks.evidence import Evidence, Violation
from tests.chaos.history import Record

UNDER_WAY = 5.0
"""Seconds that a frame sent before an ack may take to be noted: all processes share two busy cores."""
CATCH_UP = 10.0
SLACK = 5.0
DEAFENING = ("P9", "PT")
"""Faults during which a socket cannot know better: it looks again once they are over."""
OF_A_CANCELLED_JOB = ("export:cancelled", "export:cleanup:completed")


def only_the_receipt_follows_a_cancel(seen: Evidence) -> Iterator[Violation]:
    for told in seen.sockets.values():
        cancelled: dict[str, Record] = {}
        for record in told:
            if record["op"] == "frame":
                before = cancelled.get(record["job"])
                if before and record["type"] != "export:cleanup:completed":
                    yield Violation("G2", f"{record['type']} followed export:cancelled", (before, record))
            cancelled.update(dict.fromkeys(_cancelled_in(record), record))


def frames_agree_with_cancels(seen: Evidence) -> Iterator[Violation]:
    """What tells otherwise is older by version, and was under way when the ack was read."""
    for record in seen.of("frame"):
        ack = seen.acks.get(record["job"])
        if ack is None or record["type"] in OF_A_CANCELLED_JOB:
            continue
        if record["version"] > ack["version"]:
            yield Violation("G2", f"{record['type']} is newer than the acknowledged cancel", (ack, record))
        elif record["t1"] > ack["t1"] + UNDER_WAY * seen.slowness:
            yield Violation("G2", f"{record['type']} came long after the acknowledged cancel", (ack, record))


def snapshots_agree_with_cancels(seen: Evidence) -> Iterator[Violation]:
    for record in seen.of("snapshot"):
        for job, (version, status) in record["jobs"].items():
            ack = seen.acks.get(job)
            under_way = UNDER_WAY * seen.slowness
            is_later = ack and (version > ack["version"] or record["t1"] > ack["t1"] + under_way)
            if ack and is_later and status != "cancelled":
                shown = _of_one_job(record, job)
                yield Violation("G1", f"a snapshot says {status} after the acknowledged cancel", (ack, shown))


def versions_grow(seen: Evidence) -> Iterator[Violation]:
    """A snapshot may repeat what was told, but not fall behind it."""
    for told in seen.sockets.values():
        last: dict[str, int] = {}
        for record in told:
            for job, version in _versions_in(record).items():
                known = last.get(job, -1)
                if version < known or (version == known and record["op"] == "frame"):
                    shown = _of_one_job(record, job)
                    yield Violation("G19", f"version {version} was told after {known}", (shown,))
                last[job] = max(version, known)


def sockets_catch_up(seen: Evidence) -> Iterator[Violation]:
    """What SQL saw, an open socket of the job's user has told within ten seconds.

    Users who lose access in the run are left out: what they may be told comes and goes.
    """
    end = max((each["t1"] for each in seen.of("final", "sample")), default=0.0)
    closed = {each["socket"]: each["t1"] for each in seen.of("socket_closed")}
    left_out = {str(change["user"]) for change in seen.of("access")}
    for socket, told in seen.sockets.items():
        if str(told[0]["user"]) not in left_out:
            yield from _missed(seen, _Ears(told, closed.get(socket, end)))


class _Ears:
    """What one socket had told by when."""

    def __init__(self, told: list[Record], closed: float) -> None:
        self.user, self.opened, self.closed = str(told[0]["user"]), told[0]["t1"], closed
        self._moments: dict[str, list[tuple[float, int]]] = {}
        for record in told:
            for job, version in _versions_in(record).items():
                self._moments.setdefault(job, []).append((record["t1"], version))

    def had_told(self, job: str, version: int, by: float) -> bool:
        return any(moment <= by and told >= version for moment, told in self._moments.get(job, []))


def _missed(seen: Evidence, ears: _Ears) -> Iterator[Violation]:
    for sample in seen.of("sample"):
        if not ears.opened <= sample["t1"] < ears.closed - CATCH_UP:
            continue
        deadline = _deadline(seen, sample["t1"])
        for job, (status, version) in sample["jobs"].items():
            is_heard = _owner(seen, job) != ears.user or ears.had_told(job, version, deadline)
            if not is_heard and deadline < ears.closed:
                shown = {
                    "user": ears.user,
                    "known": sample["t1"],
                    "deadline": deadline,
                    "opened": ears.opened,
                }
                sentence = f"a socket did not tell that {job} was {status} at version {version}"
                yield Violation("G19", sentence, (shown,))


def _deadline(seen: Evidence, known: float) -> float:
    within = CATCH_UP + SLACK * seen.slowness
    deadline = known + within
    for fault in seen.of("fault"):
        if fault["name"] in DEAFENING and fault["t0"] < deadline:
            deadline = max(deadline, fault["t1"] + within)
    return deadline


def _owner(seen: Evidence, job: str) -> str:
    return str(seen.rows.get(job, {}).get("user_id"))


def _versions_in(record: Record) -> dict[str, int]:
    if record["op"] == "frame":
        return {record["job"]: record["version"]}
    return {job: version for job, (version, _) in record["jobs"].items()}


def _cancelled_in(record: Record) -> list[str]:
    if record["op"] == "frame":
        return [record["job"]] if record["type"] == "export:cancelled" else []
    return [job for job, (_, status) in record["jobs"].items() if status == "cancelled"]


def _of_one_job(record: Record, job: str) -> Record:
    return record if record["op"] == "frame" else record | {"jobs": {job: record["jobs"][job]}}


CHECKS = (
    only_the_receipt_follows_a_cancel,
    frames_agree_with_cancels,
    snapshots_agree_with_cancels,
    versions_grow,
    sockets_catch_up,
)
