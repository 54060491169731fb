"""G4, G10, G20 and G21: what was accepted is kept, ends, and is as many as it may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from tests.chaos.checks.evidence import ACTIVE, Evidence, Violation, grouped
from tests.chaos.history import Record


class Span(NamedTuple):
    """When a job was active, by the database's clock."""

    start: datetime
    end: datetime
    row: Record


def accepted_starts_are_kept(seen: Evidence) -> Iterator[Violation]:
    for call in seen.accepted("start", "retry"):
        if seen.final and call["job"] not in seen.rows:
            yield Violation("G4", "an accepted export is not in the database", (call,))


def accepted_answers_are_kept(seen: Evidence) -> Iterator[Violation]:
    """Cancels, downloads, automatic downloads and deletions that were answered are in the row."""
    for call in seen.accepted("cancel", "download", "range", "auto", "delete"):
        row = seen.rows.get(call["job"])
        if row and not _is_kept(call, row):
            yield Violation("G4", f"the row knows nothing of an accepted {call['op']}", (call, row))


def _is_kept(call: Record, row: Record) -> bool:
    match call["op"]:
        case "cancel":
            return bool(row["status"] == "cancelled")
        case "auto":
            return bool(row["auto_download_claimed"])
        case "delete":
            return row["status"] not in ("completed", *ACTIVE)
    return bool(row["download_count"])


def everything_ends(seen: Evidence) -> Iterator[Violation]:
    for job, row in seen.rows.items():
        if row["status"] in ACTIVE:
            yield Violation("G10", f"{job} is still {row['status']}", (row,))


def samples_keep_the_limit(seen: Evidence) -> Iterator[Violation]:
    most = seen.final["limits"]["max_active"] if seen.final else None
    for sample in seen.of("sample"):
        for user, active in sample["active"].items():
            if most is not None and active > most:
                shown = {"op": "sample", "t1": sample["t1"], "user": user, "active": active}
                yield Violation("G20", f"{active} active exports, {most} are allowed", (shown,))


def the_limit_holds_at_every_moment(seen: Evidence) -> Iterator[Violation]:
    """By the audit: how many were active when one more began."""
    most = seen.final["limits"]["max_active"] if seen.final else 0
    for spans in _by_owner(seen, "user_id").values():
        for span in spans:
            active = [each.row for each in spans if each.start <= span.start < each.end]
            if len(active) > most:
                yield Violation("G20", f"{len(active)} active exports, {most} are allowed", tuple(active))


def keys_make_one_job(seen: Evidence) -> Iterator[Violation]:
    keyed = [call for call in seen.accepted("start") if call.get("key")]
    for calls in grouped([call | {"own": f"{call['user']} {call['key']}"} for call in keyed], "own").values():
        if len({call["job"] for call in calls}) > 1 or sum(bool(call["new"]) for call in calls) > 1:
            yield Violation("G21", "one Idempotency-Key made several jobs", tuple(calls))


def equal_exports_are_one(seen: Evidence) -> Iterator[Violation]:
    """While one is active no other of the same user, project and options begins."""
    for spans in _by_owner(seen, "user_id", "project_id", "options_digest").values():
        for before, span in pairwise(sorted(spans, key=lambda each: each.start)):
            if span.start < before.end:
                yield Violation("G21", "two equal exports were active at once", (before.row, span.row))


def _by_owner(seen: Evidence, *fields: str) -> dict[tuple[object, ...], list[Span]]:
    found: dict[tuple[object, ...], list[Span]] = {}
    for job, rows in seen.audits.items():
        row = seen.rows.get(job)
        if row and rows:
            found.setdefault(tuple(row[field] for field in fields), []).append(_span(row, rows))
    return found


def _span(row: Record, rows: list[Record]) -> Span:
    ends = [each["at"] for each in rows if each["to_status"] not in ACTIVE]
    end = datetime.fromisoformat(ends[0] if ends else "9999-12-31T00:00:00+00:00")
    return Span(datetime.fromisoformat(rows[0]["at"]), end, row)


CHECKS = (
    accepted_starts_are_kept,
    accepted_answers_are_kept,
    everything_ends,
    samples_keep_the_limit,
    the_limit_holds_at_every_moment,
    keys_make_one_job,
    equal_exports_are_one,
)
