"""Judges a history by the guarantees, and counts what happened in it.

Each check takes the evidence and yields what it finds wrong; it says nothing while what it needs (the
final rows, say) is not there yet, so that a history can be judged while the run goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.chaos.checks import archives, auditing, cancelling, keeping, service, streams
from tests.chaos.checks.evidence import FETCHES, Evidence, Violation
from tests.chaos.history import Record

CHECKS = (
    *cancelling.CHECKS,
    *streams.CHECKS,
    *auditing.CHECKS,
    *keeping.CHECKS,
    *archives.CHECKS,
    *service.CHECKS,
)


def check(records: Sequence[Record]) -> list[Violation]:
    """Every broken promise, in the order of the guarantees."""
    seen = Evidence(records)
    found = [violation for each in CHECKS for violation in each(seen)]
    return sorted(found, key=lambda violation: int(violation.guarantee[1:]))


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """What the run did, for its table; times in milliseconds but where the name says otherwise."""
    seen = Evidence(records)
    return _calls(seen) | _outcomes(seen) | _surroundings(seen)


def _calls(seen: Evidence) -> dict[str, Any]:
    fetched = [call for call in seen.of("download", "range") if call["status"] in (200, 206)]
    acks = sorted(call["t1"] - call["t0"] for call in seen.accepted("cancel"))
    refused = [call for call in seen.of(*FETCHES) if seen.after_ack(call) and call["status"] == 410]
    return {
        "calls": dict(Counter(call["op"] for call in seen.calls)),
        "exports": len({call["job"] for call in seen.accepted("start", "retry")}),
        "cancels acked": len(seen.acks),
        "cancel p50 ms": _percentile(acks, 0.5),
        "cancel p99 ms": _percentile(acks, 0.99),
        "downloads": len(fetched),
        "bytes": sum(call.get("bytes") or 0 for call in fetched),
        "refused after cancel": len(refused),
        "longest request s": round(max(map(_seconds, seen.calls), default=0.0), 2),
    }


def _outcomes(seen: Evidence) -> dict[str, Any]:
    reasons = Counter(row["reason"] for rows in seen.audits.values() for row in rows)
    return {
        "outcomes": dict(Counter(row["status"] for row in seen.rows.values())),
        "completions": reasons["built"],
        "requeued": reasons["worker_lost"] + reasons["worker_stopping"],
        "refused writes": seen.final["refused_writes"] if seen.final else 0,
    }


def _surroundings(seen: Evidence) -> dict[str, Any]:
    faults = Counter(fault["name"] for fault in seen.of("fault"))
    return {
        "frames": len(seen.of("frame")),
        "sockets": len(seen.sockets),
        "edits": len(seen.of("edit")),
        "faults": dict(sorted(faults.items())),
        "faults in all": faults.total(),
    }


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """Milliseconds."""
    return round(1000 * ordered[int(share * (len(ordered) - 1))], 1) if ordered else None


def _seconds(call: Record) -> float:
    return call["t1"] - call["t0"] if call["t1"] is not None else 0.0
