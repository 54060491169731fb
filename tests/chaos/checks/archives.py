"""G8, G9, G16, G17, G24 and G27: the files on disk, and what was fetched of them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.checks.evidence import Evidence, Violation, grouped
from tests.chaos.history import Record

EXPLAINED = {"insufficient_storage": "DF", "worker_lost": None}
"""The failures that faults may lead to, and the fault that there must have been."""


def completed_exports_have_their_file(seen: Evidence) -> Iterator[Violation]:
    found = _files(seen)
    for row in _completed(seen):
        file = found.get(row["file_name"])
        if file is None or (file["size"], file["sha256"]) != (row["file_size"], row["sha256"]):
            yield Violation("G8", f"the file of {row['id']} is not the row's", (row, file or {}))


def no_file_went_missing(seen: Evidence) -> Iterator[Violation]:
    for rows in seen.audits.values():
        missing = [row for row in rows if row["reason"] == "file_missing"]
        if missing:
            yield Violation("G8", "a completed export's file was gone", tuple(missing))


def bodies_are_the_archive(seen: Evidence) -> Iterator[Violation]:
    whole = [call for call in seen.accepted("download", "range") if call.get("whole") and call.get("sha256")]
    for job, calls in grouped(whole, "job").items():
        promised = {(call.get("etag") or "").strip('"') for call in calls} - {""}
        promised |= {seen.rows[job]["sha256"]} - {None} if job in seen.rows else set()
        if {call["sha256"] for call in calls} | promised != {calls[0]["sha256"]}:
            yield Violation("G9", "what was fetched is not what was promised", tuple(calls))


def nothing_else_is_on_disk(seen: Evidence) -> Iterator[Violation]:
    named = {row["file_name"] for row in _completed(seen)}
    for name, file in _files(seen).items():
        if name not in named:
            yield Violation("G16", f"{file['name']} belongs to no completed export", (file,))


def automatic_downloads_are_granted_once(seen: Evidence) -> Iterator[Violation]:
    for calls in grouped(seen.accepted("auto"), "job").values():
        if len(calls) > 1:
            yield Violation("G17", "the automatic download was granted twice", tuple(calls))


def failures_have_a_cause(seen: Evidence) -> Iterator[Violation]:
    happened = {fault["name"] for fault in seen.of("fault")} | {None}
    for row in seen.rows.values():
        code = row["error_code"]
        if row["status"] == "failed" and EXPLAINED.get(code, "never") not in happened:
            yield Violation("G24", f"an export failed as {code}, which no fault explains", (row,))


def exports_hold_one_moment(seen: Evidence) -> Iterator[Violation]:
    """One generation: none older than the edits before its request, none newer than its completion."""
    for call in seen.of("download", "range"):
        held = call.get("generations")
        if held is None:
            continue
        first, last = _possible(seen, call)
        if len(held) != 1 or not first <= held[0] <= last:
            sentence = f"generations {held} in one export, {first} to {last} are possible"
            yield Violation("G27", sentence, (call, *_edits_of(seen, call, held)))


def _possible(seen: Evidence, call: Record) -> tuple[float, float]:
    """The oldest and the newest generation that the export may hold.

    An edit that got no answer may have been made or not.
    """
    begun = seen.asked_at.get(call["job"], 0.0)
    ended = _listed_by(seen, call)
    edits = [edit for edit in seen.of("edit") if edit["project"] == call["project"]]
    before = [edit["generation"] for edit in edits if edit["t1"] is not None and edit["t1"] < begun]
    until = [edit["generation"] for edit in edits if edit["t0"] < ended]
    return max(before, default=0), max(until, default=0)


def _listed_by(seen: Evidence, call: Record) -> float:
    """When the project was listed at the latest: at the claim, of which there was one or, after a loss, several."""
    has_one_claim = seen.rows.get(call["job"], {}).get("attempt") == 1
    told = ("processing", "completed") if has_one_claim else ("completed",)
    return min(call["t1"], *(seen.known_to_be.get((call["job"], status), call["t1"]) for status in told))


def _edits_of(seen: Evidence, call: Record, generations: list[int]) -> list[Record]:
    edits = [edit for edit in seen.of("edit") if edit["project"] == call["project"]]
    return [edit for edit in edits if edit["generation"] in generations]


def _completed(seen: Evidence) -> list[Record]:
    return [row for row in seen.rows.values() if row["status"] == "completed"]


def _files(seen: Evidence) -> dict[str, Record]:
    """By name; what lies in a folder of its own keeps the folder's name, and so belongs to nobody."""
    files = seen.final["files"] if seen.final else []
    return {file["name"].removeprefix("published/"): file for file in files}


CHECKS = (
    completed_exports_have_their_file,
    no_file_went_missing,
    bodies_are_the_archive,
    nothing_else_is_on_disk,
    automatic_downloads_are_granted_once,
    failures_have_a_cause,
    exports_hold_one_moment,
)
