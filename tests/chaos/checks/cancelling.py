"""G1, G3 and G6: what an acknowledged cancel promises to whoever asks afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.checks.evidence import FETCHES, Evidence, Violation, grouped

FOUND = (200, 206, 304, 416)


def answers_stay_cancelled(seen: Evidence) -> Iterator[Violation]:
    """Whatever was asked after the ack, or is newer by version, says cancelled."""
    for reading in seen.readings:
        ack = seen.acks.get(reading.job)
        if ack is None or reading.status == "cancelled":
            continue
        if reading.record["t0"] > ack["t1"] or (reading.version or 0) > ack["version"]:
            sentence = f"{reading.record['op']} says {reading.status} after the acknowledged cancel"
            yield Violation("G1", sentence, (ack, reading.record))


def rows_stay_cancelled(seen: Evidence) -> Iterator[Violation]:
    """The same by SQL; a sample without `t0` may have been read five seconds before it was noted."""
    for sample in seen.of("sample"):
        asked_at = sample.get("t0", sample["t1"] - 5)
        for job, (status, version) in sample["jobs"].items():
            ack = seen.acks.get(job)
            is_later = ack and (asked_at > ack["t1"] or version > ack["version"])
            if ack and is_later and status != "cancelled":
                shown = {"op": "sample", "t1": sample["t1"], "job": job, "status": status, "version": version}
                yield Violation("G1", f"the row is {status} after the acknowledged cancel", (ack, shown))


def nothing_is_fetched_after_a_cancel(seen: Evidence) -> Iterator[Violation]:
    for call in seen.of(*FETCHES):
        ack = seen.after_ack(call)
        if ack and (call["status"] in FOUND or call.get("bytes")):
            yield Violation("G3", f"{call['op']} was answered {call['status']} after the cancel", (ack, call))


def a_cancelled_export_was_never_fetched(seen: Evidence) -> Iterator[Violation]:
    """Whenever it was asked for: an accepted download forbids the cancel, and a cancel every download."""
    for call in seen.accepted("download", "range"):
        ack = seen.acks.get(call["job"])
        if ack and not seen.after_ack(call):
            yield Violation("G3", "a download was accepted, and so was a cancel", (ack, call))


def refusals_say_when_it_was_cancelled(seen: Evidence) -> Iterator[Violation]:
    for call in seen.of("download", "range"):
        ack = seen.after_ack(call)
        says_so = call["code"] == "export_cancelled" and call.get("cancelled_at")
        if ack and call["status"] == 410 and not says_so:
            yield Violation("G3", "410 does not say that, and when, it was cancelled", (ack, call))


def cancels_get_one_answer(seen: Evidence) -> Iterator[Violation]:
    for acks in grouped(seen.accepted("cancel"), "job").values():
        moments = {ack.get("cancelled_at") for ack in acks}
        versions = _versions_once_cancelled(seen, acks[0]["job"])
        if len(moments) > 1:
            yield Violation("G6", "cancels of one job were answered differently", tuple(acks))
        if versions and not {ack["version"] for ack in acks} <= versions:
            sentence = f"a cancel was answered with a version other than {sorted(versions)}"
            yield Violation("G6", sentence, tuple(acks))


def cancels_make_one_move(seen: Evidence) -> Iterator[Violation]:
    for rows in seen.audits.values():
        moves = [row for row in rows if row["to_status"] == "cancelled" != row["from_status"]]
        if len(moves) > 1:
            yield Violation("G6", "there is more than one move to cancelled", tuple(moves))


def _versions_once_cancelled(seen: Evidence, job: str) -> set[int]:
    """The move's, and that of the note that its files are gone."""
    return {row["detail"]["version"] for row in seen.audits.get(job, []) if row["to_status"] == "cancelled"}


CHECKS = (
    answers_stay_cancelled,
    rows_stay_cancelled,
    nothing_is_fetched_after_a_cancel,
    a_cancelled_export_was_never_fetched,
    refusals_say_when_it_was_cancelled,
    cancels_get_one_answer,
    cancels_make_one_move,
)
