"""Every state times every move, through the module: each is either in this table or refused and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from exports import exceptions, grants, lifecycle
from exports.messages import Advance, Failure, PublishedFile
from exports.models import ExportJob
from exports.states import CancelReason, Status
from tests.jobs import download, request_for

FILE = PublishedFile("x.zip", 3, "0" * 64)
NOW = timedelta(0)
ADVANCE = Advance(50, "images", 1, 2, "Image 1 of 2")

MOVES: dict[str, Callable[[UUID], Any]] = {
    "claim": lifecycle.claim,
    "beat": lambda job_id: lifecycle.beat(job_id, 1, ADVANCE),
    "complete": lambda job_id: lifecycle.complete(job_id, 1, FILE, []),
    "fail": lambda job_id: lifecycle.fail(job_id, 1, Failure("build_failed", "No.", retryable=True)),
    "cancel": lambda job_id: lifecycle.cancel(job_id, "user:1"),
    "cancel_overlong": lambda job_id: lifecycle.cancel_overlong(job_id, NOW),
    "requeue": lambda job_id: lifecycle.requeue(job_id, NOW),
    "give_back": lambda job_id: lifecycle.give_back(job_id, 1),
    "ring_again": lifecycle.ring_again,
    "expire": lambda job_id: lifecycle.expire(job_id, "deleted", "user:1"),
    "record_download": download,
    "claim_auto_download": lambda job_id: grants.claim_auto_download(job_id, "user:1"),
    "record_cleanup": lambda job_id: lifecycle.record_cleanup(job_id, 0),
}

# What each move leads to from each state that allows it.
ACCEPTED = {
    (Status.PENDING, "claim"): Status.PROCESSING,
    (Status.PENDING, "cancel"): Status.CANCELLED,
    (Status.PENDING, "ring_again"): Status.PENDING,
    (Status.PROCESSING, "beat"): Status.PROCESSING,
    (Status.PROCESSING, "complete"): Status.COMPLETED,
    (Status.PROCESSING, "fail"): Status.FAILED,
    (Status.PROCESSING, "cancel"): Status.CANCELLED,
    (Status.PROCESSING, "cancel_overlong"): Status.CANCELLED,
    (Status.PROCESSING, "requeue"): Status.PENDING,
    (Status.PROCESSING, "give_back"): Status.PENDING,
    (Status.COMPLETED, "cancel"): Status.CANCELLED,
    (Status.COMPLETED, "expire"): Status.EXPIRED,
    (Status.COMPLETED, "record_download"): Status.COMPLETED,
    (Status.COMPLETED, "claim_auto_download"): Status.COMPLETED,
    (Status.FAILED, "record_cleanup"): Status.FAILED,
    (Status.CANCELLED, "record_cleanup"): Status.CANCELLED,
    (Status.EXPIRED, "record_cleanup"): Status.EXPIRED,
}
# The same answer as the first time, and nothing is written.
REPEATED = {(Status.CANCELLED, "cancel")}


# The moves that lead a waiting job to each state.
PATHS = {
    Status.PENDING: (),
    Status.PROCESSING: ("claim",),
    Status.COMPLETED: ("claim", "complete"),
    Status.FAILED: ("claim", "fail"),
    Status.CANCELLED: ("claim", "cancel"),
    Status.EXPIRED: ("claim", "complete", "expire"),
}


@pytest.fixture
def brought_to(job: ExportJob) -> Callable[[Status], ExportJob]:
    """Leads the waiting job to a state, by moves of the table."""

    def bring(status: Status) -> ExportJob:
        for move in PATHS[status]:
            MOVES[move](job.pk)
        return ExportJob.objects.get(pk=job.pk)

    return bring


def as_seen(job: ExportJob) -> tuple[Any, ...]:
    """All of the row but the number of its audit rows, and of the audit all but what was refused."""
    row = ExportJob.objects.filter(pk=job.pk).values().get()
    row.pop("sequence")
    return row, list(job.transitions.exclude(reason__endswith="_refused").values())


@pytest.mark.parametrize(("status", "move"), sorted(ACCEPTED))
def test_an_allowed_move_is_made_and_recorded(
    brought_to: Callable[[Status], ExportJob], status: Status, move: str
) -> None:
    before = brought_to(status)

    MOVES[move](before.pk)

    after = ExportJob.objects.get(pk=before.pk)
    assert after.status == ACCEPTED[status, move]
    assert after.version > before.version
    moved = list(after.transitions.values_list("sequence", flat=True))
    assert moved == list(range(1, after.sequence + 1))
    assert after.transitions.last().to_status == after.status


REFUSED = sorted(set(product(Status, MOVES)) - set(ACCEPTED) - REPEATED)


@pytest.mark.parametrize(("status", "move"), REFUSED)
def test_every_other_move_is_refused_and_changes_nothing(
    brought_to: Callable[[Status], ExportJob], status: Status, move: str
) -> None:
    job = brought_to(status)
    before = as_seen(job)

    with pytest.raises(exceptions.ExportError):
        MOVES[move](job.pk)

    assert as_seen(job) == before


@pytest.mark.parametrize(
    ("status", "move", "code"),
    [
        (Status.FAILED, "cancel", "already_failed"),
        (Status.EXPIRED, "cancel", "already_expired"),
        (Status.PROCESSING, "record_download", "export_not_completed"),
        (Status.CANCELLED, "record_download", "export_cancelled"),
    ],
)
def test_a_refusal_is_kept_in_the_audit(
    brought_to: Callable[[Status], ExportJob], status: Status, move: str, code: str
) -> None:
    job = brought_to(status)
    with pytest.raises(exceptions.Refusal):
        MOVES[move](job.pk)
    row = job.transitions.last()
    assert (row.from_status, row.to_status, row.sequence) == (status, status, job.sequence + 1)
    assert (row.reason.endswith("_refused"), row.actor, row.detail["code"]) == (True, "user:1", code)


def test_a_repeated_cancel_gives_the_same_answer_and_writes_nothing(cancelled: ExportJob) -> None:
    before = as_seen(cancelled)

    again = lifecycle.cancel(cancelled.pk, "user:99")

    assert again.version == cancelled.version
    assert as_seen(cancelled) == before


@pytest.mark.parametrize("move", ["beat", "complete", "fail", "give_back"])
def test_an_old_attempt_changes_nothing_once_a_newer_one_was_claimed(
    processing: ExportJob, move: str
) -> None:
    lifecycle.requeue(processing.pk, NOW)
    lifecycle.claim(processing.pk)
    before = as_seen(processing)

    with pytest.raises(exceptions.LostClaim):
        MOVES[move](processing.pk)

    assert as_seen(processing) == before


def test_the_last_lost_worker_fails_the_job(job: ExportJob, settings: Any) -> None:
    settings.EXPORT_MAX_ATTEMPTS = 2
    for _ in range(2):
        lifecycle.claim(job.pk)
        after = lifecycle.requeue(job.pk, NOW)

    assert (after.status, after.error_code, after.attempt) == (Status.FAILED, "worker_lost", 2)


def test_a_job_given_back_is_not_charged(processing: ExportJob) -> None:
    after = lifecycle.give_back(processing.pk, 1)

    assert (after.status, after.losses, after.started_at) == (Status.PENDING, 0, None)


@pytest.mark.parametrize("move", [lifecycle.requeue, lifecycle.cancel_overlong])
def test_a_job_heard_of_in_time_is_left_alone(processing: ExportJob, move: Callable[..., Any]) -> None:
    with pytest.raises(exceptions.IllegalMove):
        move(processing.pk, timedelta(seconds=30))


def test_progress_never_falls(processing: ExportJob) -> None:
    lifecycle.beat(processing.pk, 1, ADVANCE)
    lifecycle.beat(processing.pk, 1, Advance(20, "images", 1, 2, "Image 1 of 2"))

    assert ExportJob.objects.get(pk=processing.pk).progress == 50


def test_a_downloaded_export_cannot_be_cancelled(completed: ExportJob) -> None:
    download(completed.pk)

    with pytest.raises(exceptions.AlreadyDownloaded):
        lifecycle.cancel(completed.pk, "user:1")


def test_the_automatic_download_is_granted_once(completed: ExportJob) -> None:
    grants.claim_auto_download(completed.pk, "user:1")

    with pytest.raises(exceptions.AlreadyAutoDownloaded):
        grants.claim_auto_download(completed.pk, "user:1")


def test_cancelling_a_waiting_job_leaves_nothing_to_clean(job: ExportJob) -> None:
    after = lifecycle.cancel(job.pk, "user:1", CancelReason.USER)

    assert after.cleaned_at is not None


def test_the_same_options_while_active_give_the_same_job(job: ExportJob) -> None:
    again, is_new = lifecycle.request(request_for(job.project, job.user))

    assert (again.pk, is_new) == (job.pk, False)


def test_the_same_key_gives_the_same_job_for_ever(project: Any, bell: list[Any]) -> None:
    first, _ = lifecycle.request(request_for(project, project.owner, key="k"))
    lifecycle.cancel(first.pk, "user:1")

    again, is_new = lifecycle.request(request_for(project, project.owner, key="k"))

    assert (again.pk, is_new) == (first.pk, False)


def test_a_key_used_for_another_request_is_refused(project: Any, bell: list[Any]) -> None:
    lifecycle.request(request_for(project, project.owner, key="k"))

    with pytest.raises(exceptions.IdempotencyKeyReused):
        lifecycle.request(request_for(project, project.owner, key="k", include_documentation=False))


def test_nobody_has_more_active_exports_than_allowed(project: Any, bell: list[Any], settings: Any) -> None:
    settings.EXPORT_MAX_ACTIVE_PER_USER = 1
    lifecycle.request(request_for(project, project.owner))

    with pytest.raises(exceptions.TooManyActiveExports):
        lifecycle.request(request_for(project, project.owner, include_documentation=False))


def test_the_bell_rings_after_the_commit(job: ExportJob, bell: list[tuple[str, str, str]]) -> None:
    assert bell == [("exports.jobs.build", str(job.pk), f"export-{job.pk}-1")]


def test_times_are_the_databases(job: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """G28: a worker whose clock is an hour off changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        before = cursor.fetchone()[0]
    monkeypatch.setattr("django.utils.timezone.now", lambda: before + timedelta(hours=1))

    after = lifecycle.claim(job.pk)

    assert after.started_at - before < timedelta(minutes=1)
