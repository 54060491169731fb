"""G14, G22 and G25: who is served, how soon, and what is left behind."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.checks.evidence import Evidence, Violation
from tests.chaos.history import Record

PATIENCE = 5.0
IDLE = 15.0
RECOVERY = 5.0
"""Seconds in which a program that was killed is back: imports on two busy cores."""
SLOW = ("L9", "P9", "PT")
UNANSWERED = ("L9",)
UNAVAILABLE = ("P9", "PT", "PW")
"""The database's faults: then 503 is an answer, and no ack."""


def nothing_is_left_running(seen: Evidence) -> Iterator[Violation]:
    left = seen.final["processes"] if seen.final else []
    if left:
        yield Violation("G14", f"processes outlived their parent: {left}")


def nobody_fetches_without_access(seen: Evidence) -> Iterator[Violation]:
    for call in seen.accepted("download", "range", "head", "start", "auto"):
        lost = _access_lost(seen, call)
        if lost:
            yield Violation("G22", f"{call['op']} was granted to somebody without access", (lost, call))


def _access_lost(seen: Evidence, call: Record) -> Record | None:
    """The change that took the access away for all of the call's time."""
    changes = [
        each
        for each in seen.of("access")
        if (str(each["user"]), each["project"]) == (str(call["user"]), call.get("project"))
    ]
    before = [each for each in changes if each["t0"] < call["t1"]]
    last = max(before, key=lambda each: each["t0"], default=None)
    is_known = last and last["t1"] is not None and last["t1"] < call["t0"]
    return last if last and is_known and not last["allowed"] else None


def no_deadlocks(seen: Evidence) -> Iterator[Violation]:
    most = max((sample["deadlocks"] for sample in seen.of("sample")), default=0)
    if most:
        yield Violation("G25", f"{most} deadlocks")


def no_idle_transactions(seen: Evidence) -> Iterator[Violation]:
    longest = max((sample["idle_in_transaction"] or 0 for sample in seen.of("sample")), default=0)
    if longest >= IDLE:
        yield Violation("G25", f"a transaction was idle for {longest:.1f} s")


def everything_is_answered_soon(seen: Evidence) -> Iterator[Violation]:
    patience = PATIENCE * seen.slowness
    for call in seen.calls:
        is_one_call = call["status"] and call.get("range") != "joined"
        seconds = call["t1"] - call["t0"] if is_one_call else 0.0
        if seconds > patience and seconds - seen.overlap(call, SLOW, RECOVERY) > patience:
            yield Violation("G25", f"the answer took {seconds:.1f} s", (call,))


def everything_is_answered(seen: Evidence) -> Iterator[Violation]:
    """Only the kill of the web server leaves a call without an answer."""
    for call in seen.calls:
        is_over = call["status"] is None and call["t1"] is not None
        if is_over and seen.overlap(call, UNANSWERED, RECOVERY) <= 0:
            yield Violation("G25", "there was no answer", (call,))


def nothing_fails_inside(seen: Evidence) -> Iterator[Violation]:
    for call in seen.calls:
        status = call["status"] or 0
        is_excused = status == 503 and seen.overlap(call, UNAVAILABLE, RECOVERY) > 0
        if status in (500, 502, 503, 504) and not is_excused:
            yield Violation("G25", f"{call['op']} was answered {status}", (call,))


CHECKS = (
    nothing_is_left_running,
    nobody_fetches_without_access,
    no_deadlocks,
    no_idle_transactions,
    everything_is_answered_soon,
    everything_is_answered,
    nothing_fails_inside,
)
