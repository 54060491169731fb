"""Each check finds what breaks its promise, and finds nothing where all is kept."""

from __future__ import annotations

import pytest

from tests.chaos.checker import CHECKS, check, summary
from tests.chaos.checker_story import (
    BEGUN,
    BUILT,
    CANCELLED,
    FILE,
    HASH,
    Story,
    adding,
    call,
    cancel,
    download,
    frame,
    good,
    live,
    moves,
    row,
    sample,
    snapshot,
    with_final,
    with_jobs,
    with_move,
    with_row,
)
from tests.chaos.checks.evidence import Evidence

EXPIRED = ("retention", "expired", 1)
FAILED = ("build_failed", "failed", 1)
TWIN = row("d", "expired", 4, options_digest="options a")
FAILURE = row("d", "failed", 3, error_code="build_failed")
CROWD = [row(job, "expired", 4) for job in "defg"]
CROWDED = [move for job in "defg" for move in moves(job, *BUILT, EXPIRED, first=40)]
REVIVED = moves("d", *BEGUN, CANCELLED, ("built", "completed", 1), CANCELLED, first=40)
OLD_FILE = {"name": "published/a-0.zip", "size": 10, "sha256": HASH}
OF_OLD_ATTEMPT = with_row("a", **FILE | {"file_name": "a-0.zip"})()[-1]["jobs"]
SPOOL = {"name": "staging/b-1/archive.zip.part", "size": 1, "sha256": HASH}
UNLIKE = {"name": "published/a-1.zip", "size": 9, "sha256": HASH}

# By the check that must find it: the guarantees that are then broken, and the story.
CASES: dict[str, tuple[str, Story]] = {
    "answers_stay_cancelled": ("G1", adding(call("status", "b", 9, version=9, job_status="processing"))),
    "rows_stay_cancelled": ("G1", live(sample(9.0, b=["completed", 2]))),
    "snapshots_agree_with_cancels": ("G1", adding(snapshot(2.0, socket="s2", b=[7, "completed"]))),
    "only_the_receipt_follows_a_cancel": ("G2", adding(frame("b", 6.1, "cancelled", 5))),
    "frames_agree_with_cancels": ("G2", adding(frame("b", 20.0, "completed", 2, socket="s2"))),
    "cancelled_while_active_never_completed": (
        "G2 G5 G6",
        with_jobs([row("d", "cancelled", 5)], REVIVED),
    ),
    "nothing_is_fetched_after_a_cancel": ("G3", live(call("head", "b", 9, 200))),
    "a_cancelled_export_was_never_fetched": ("G3", live(download("b", 2.0))),
    "refusals_say_when_it_was_cancelled": ("G3", live(call("download", "b", 9, 410, code="export_expired"))),
    "accepted_starts_are_kept": ("G4", adding(call("start", "lost", 9, 202))),
    "accepted_answers_are_kept": ("G4", adding(call("delete", "a", 9, 204))),
    "audits_have_no_gaps": ("G5", with_move("b", 4, sequence=3)),
    "audits_replay_to_the_row": ("G5", with_row("b", sequence=9)),
    "moves_follow_one_another": ("G5", with_move("a", 4, from_status="failed")),
    "audited_versions_grow": ("G5", with_move("a", 3, detail={"version": 2})),
    "answers_are_audited": ("G5", adding(download("a", 9))),
    "cancels_get_one_answer": ("G6", adding(cancel("b", 9, 3, cancelled_at="later"))),
    "cancels_make_one_move": ("G2 G5 G6", with_jobs([row("d", "cancelled", 5)], REVIVED)),
    "attempts_count_claims": ("G7", with_move("a", 3, attempt=0)),
    "files_are_of_the_last_attempt": ("G7", with_final(jobs=OF_OLD_ATTEMPT, files=[OLD_FILE])),
    "completed_exports_have_their_file": ("G8", with_final(files=[UNLIKE])),
    "no_file_went_missing": ("G8", with_move("c", 4, reason="file_missing")),
    "bodies_are_the_archive": ("G9", adding(call("range", "a", 9, 206, sha256="6" * 64, whole=True))),
    "everything_ends": (
        "G10",
        with_jobs([row("d", "processing", 2)], moves("d", *BEGUN, first=40)),
    ),
    "nothing_is_left_running": ("G14", with_final(processes=["a work horse"])),
    "losses_are_limited": ("G15", with_row("b", losses=4)),
    "nothing_else_is_on_disk": ("G16", with_final(files=[*good()[-1]["files"], SPOOL])),
    "automatic_downloads_are_granted_once": ("G17", adding(call("auto", "a", 9))),
    "versions_grow": ("G19", adding(frame("a", 6.1, "completed", 5))),
    "sockets_catch_up": ("G19", adding(sample(9.0, a=["completed", 6]))),
    "samples_keep_the_limit": ("G20", adding(sample(9.0, active=4))),
    "the_limit_holds_at_every_moment": ("G20", with_jobs(CROWD, CROWDED)),
    "keys_make_one_job": ("G21", adding(call("start", "a", 9, 202, new=True, key="k"))),
    "equal_exports_are_one": ("G21", with_jobs([TWIN], moves("d", *BUILT, EXPIRED, first=1))),
    "nobody_fetches_without_access": ("G22", adding(call("head", "a", 9, user=2))),
    "failures_have_a_cause": ("G24", with_jobs([FAILURE], moves("d", *BEGUN, FAILED, first=40))),
    "no_deadlocks": ("G25", adding(sample(9.0) | {"deadlocks": 1})),
    "no_idle_transactions": ("G25", adding(sample(9.0) | {"idle_in_transaction": 16.0})),
    "everything_is_answered_soon": ("G25", adding(call("status", "a", 9) | {"t1": 15.0})),
    "everything_is_answered": ("G25", adding(call("status", "a", 9, None))),
    "nothing_fails_inside": ("G25", adding(call("status", "a", 9, 503))),
    "exports_hold_one_moment": ("G27", live(download("a", 9, generations=[0]))),
}


def test_a_history_that_keeps_every_promise_is_not_blamed() -> None:
    assert check(good()) == []


def test_a_history_that_goes_on_is_not_blamed_for_what_is_not_known_yet() -> None:
    assert check(good()[:-1]) == []


@pytest.mark.parametrize("name", CASES)
def test_a_broken_promise_is_found_by_its_check(name: str) -> None:
    guarantees, story = CASES[name]
    seen = Evidence(story())

    assert name in [each.__name__ for each in CHECKS if list(each(seen))]
    assert {violation.guarantee for violation in check(story())} == set(guarantees.split())


@pytest.mark.parametrize(("generations", "is_possible"), [([1], True), ([2], False), ([1, 2], False)])
def test_an_edit_after_the_claim_is_not_in_the_export(generations: list[int], is_possible: bool) -> None:
    edit = {"op": "edit", "project": "p", "generation": 2, "t0": 3.0, "t1": 3.1}
    under_way = call("status", "a", 2.0, job_status="processing", version=2)
    fetched = call("range", "a", 9, 206, generations=generations)

    assert (check(adding(edit, under_way, fetched)()) == []) == is_possible


def test_every_check_has_its_case() -> None:
    assert sorted(CASES) == sorted(each.__name__ for each in CHECKS)


@pytest.mark.parametrize(
    ("fault", "late"),
    [("L9", call("status", "a", 9, None)), ("P9", call("status", "a", 9, 503))],
)
def test_a_fault_excuses_what_it_explains(fault: str, late: dict[str, object]) -> None:
    happened = {"op": "fault", "name": fault, "t0": 8.0, "t1": 8.5, "detail": ""}

    assert check(adding(late, happened)()) == []


def test_a_machine_that_others_keep_busy_is_given_more_time() -> None:
    slow = call("status", "a", 9) | {"t1": 17.0}

    assert check(adding(slow, sample(9.0) | {"load": 8.0})()) == []


def test_the_summary_counts_what_happened() -> None:
    counted = summary(good())

    assert (counted["exports"], counted["cancels acked"], counted["downloads"]) == (2, 1, 1)
    assert counted["outcomes"] == {"completed": 1, "cancelled": 2}
    assert counted["faults"] == {"H9": 1}
