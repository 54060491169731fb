"""G2, G5, G7 and G15: what the audit says, replayed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.checks.evidence import ACTIVE, Evidence, Violation
from tests.chaos.history import Record

MOVES = {
    ("", "pending"),
    ("pending", "processing"),
    ("pending", "cancelled"),
    ("pending", "failed"),
    ("processing", "pending"),
    ("processing", "completed"),
    ("processing", "failed"),
    ("processing", "cancelled"),
    ("completed", "cancelled"),
    ("completed", "expired"),
}
NOTES = ("cancel_refused", "download_refused", "range_downloaded")
"""Rows of what changed nothing: the job keeps its version."""
REFUSED = ("export_cancelled", "export_not_completed", "export_failed")


def cancelled_while_active_never_completed(seen: Evidence) -> Iterator[Violation]:
    for rows in seen.audits.values():
        cancels = [row for row in rows if row["to_status"] == "cancelled" and row["from_status"] in ACTIVE]
        completions = [row for row in rows if row["to_status"] == "completed"]
        if cancels and completions:
            yield Violation("G2", "a job cancelled while active completed", (*cancels, *completions))


def audits_have_no_gaps(seen: Evidence) -> Iterator[Violation]:
    for job, rows in seen.audits.items():
        numbers = [row["sequence"] for row in rows]
        if numbers != list(range(1, len(rows) + 1)) or not numbers:
            yield Violation("G5", f"the audit of {job} has gaps: {numbers}")


def audits_replay_to_the_row(seen: Evidence) -> Iterator[Violation]:
    for job, rows in seen.audits.items():
        row = seen.rows.get(job)
        if row and rows and (rows[-1]["to_status"], rows[-1]["sequence"]) != (row["status"], row["sequence"]):
            yield Violation("G5", f"the audit does not lead to the row of {job}", (rows[-1], row))


def moves_follow_one_another(seen: Evidence) -> Iterator[Violation]:
    for rows in seen.audits.values():
        before: Record = {"to_status": ""}
        for row in rows:
            move = (row["from_status"], row["to_status"])
            is_legal = move in MOVES or move[0] == move[1] != ""
            if not is_legal or row["from_status"] != before["to_status"]:
                yield Violation("G5", f"{move[0] or 'nothing'} to {move[1]} does not follow", (before, row))
            before = row


def audited_versions_grow(seen: Evidence) -> Iterator[Violation]:
    for rows in seen.audits.values():
        for before, row in pairwise(rows):
            grown = row["detail"]["version"] - before["detail"]["version"]
            if grown < 0 or (grown == 0 and row["reason"] not in NOTES):
                yield Violation("G5", "the version does not grow from move to move", (before, row))


def answers_are_audited(seen: Evidence) -> Iterator[Violation]:
    """Every accepted and refused download, and every refused cancel, has its row."""
    for reason, calls in _to_be_audited(seen).items():
        for job, asked in calls.items():
            noted = [row for row in seen.audits.get(job, []) if row["reason"] == reason]
            if job in seen.rows and len(noted) < len(asked):
                sentence = f"{len(asked)} answers, but {len(noted)} rows {reason}"
                yield Violation("G5", sentence, (*asked, *noted))


def _to_be_audited(seen: Evidence) -> dict[str, dict[str, list[Record]]]:
    found: dict[str, dict[str, list[Record]]] = {}
    for call in seen.of("download", "range", "cancel"):
        reason = _audited_as(call)
        if reason:
            found.setdefault(reason, {}).setdefault(call["job"], []).append(call)
    return found


def _audited_as(call: Record) -> str | None:
    if call["op"] == "cancel":
        return "cancel_refused" if call["status"] == 409 else None
    if call["code"] in REFUSED:
        return "download_refused"
    return "downloaded" if call["op"] == "download" and call["status"] == 200 else None


def attempts_count_claims(seen: Evidence) -> Iterator[Violation]:
    """Each claim raises the attempt by one; no row after it is of an older one."""
    for job, rows in seen.audits.items():
        attempt = 0
        for row in rows:
            attempt += (row["from_status"], row["to_status"]) == ("pending", "processing")
            if row["attempt"] != attempt:
                yield Violation("G7", f"attempt {row['attempt']} acted while it was {attempt}'s turn", (row,))
        final = seen.rows.get(job)
        if final and final["attempt"] != attempt:
            yield Violation("G7", f"{attempt} claims led to attempt {final['attempt']}", (final,))


def files_are_of_the_last_attempt(seen: Evidence) -> Iterator[Violation]:
    for job, row in seen.rows.items():
        if row["file_name"] and row["file_name"] != f"{job}-{row['attempt']}.zip":
            yield Violation("G7", f"{row['file_name']} is not of attempt {row['attempt']}", (row,))


def losses_are_limited(seen: Evidence) -> Iterator[Violation]:
    most = seen.final["limits"]["max_attempts"] if seen.final else 0
    for row in seen.rows.values():
        is_given_up = row["error_code"] == "worker_lost"
        if row["losses"] > most or is_given_up != (row["losses"] == most):
            yield Violation("G15", f"{row['losses']} losses, {most} are allowed", (row,))


CHECKS = (
    cancelled_while_active_never_completed,
    audits_have_no_gaps,
    audits_replay_to_the_row,
    moves_follow_one_another,
    audited_versions_grow,
    answers_are_audited,
    attempts_count_claims,
    files_are_of_the_last_attempt,
    losses_are_limited,
)
