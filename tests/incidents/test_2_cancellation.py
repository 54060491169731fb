"""Report 2, "Export Cancellation Race Condition Debug Report": cancelled exports completed, and said so.

The sections below follow the report: the checks in the pipeline, events after a cancel, the validation of
downloads, the record of moves, then its test scenarios, error responses, security and validation steps.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError

from exports import assembly, build, cleaning, files, grants, jobs, lifecycle, publishing, pulse
from exports.archive import zipping
from exports.exceptions import ExportError, LostClaim
from exports.messages import Advance, Failure, PublishedFile
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.calling import exports_url, job_url
from tests.faults.conftest import Listener
from tests.incidents.conftest import CallerOf, Held, Interrupt, LeftOver, under_way
from tests.incidents.outside import PATIENCE, Caller, fresh, receive
from tests.processes import Running, environment, start_daphne, start_worker
from tests.races.conftest import Race
from tests.waiting import until

FILE = PublishedFile("x.zip", 10, "0" * 64)
NOW = Advance(50, "images", 1, 2, "Image 1")

STAGES = {
    "before the first image": (build.snapshot, "read"),
    "between two images": (assembly._Assembly, "_count"),
    "inside an image": (zipping.Archive, "add"),
    "before the tables": (assembly._Assembly, "_guide"),
    "before the archive is closed": (zipping.Archive, "close"),
    "while the archive is hashed": (files, "_hash"),
}
AFTERWARDS: dict[str, Any] = {
    "claim": lambda job: lifecycle.claim(job.pk),
    "beat": lambda job: lifecycle.beat(job.pk, job.attempt, NOW),
    "complete": lambda job: lifecycle.complete(job.pk, job.attempt, FILE, []),
    "fail": lambda job: lifecycle.fail(job.pk, job.attempt, Failure("build_failed", "No.", retryable=True)),
    "give back": lambda job: lifecycle.give_back(job.pk, job.attempt),
    "ring again": lambda job: lifecycle.ring_again(job.pk),
    "expire": lambda job: lifecycle.expire(job.pk, "retention", "scheduler"),
    "automatic download": lambda job: grants.claim_auto_download(job.pk, "user:1"),
    "delete": lambda job: ExportJob.objects.filter(pk=job.pk).delete(),
}


# --- 1. The checks in the pipeline


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancel_is_seen_in_every_stage(
    job: ExportJob, caller: Caller, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    completed: list[object] = []
    monkeypatch.setattr(build, "_complete", lambda *arguments: completed.append(arguments))
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0)
    interrupt(*STAGES[stage], lambda: caller.cancel(job))

    with pytest.raises(LostClaim):
        build.run(job.pk)

    assert completed == []


def test_an_export_cancelled_before_its_turn_is_not_built(job: ExportJob, caller: Caller) -> None:
    caller.cancel(job)

    jobs.build(str(job.pk))  # the call that was in the queue already

    assert (fresh(job).status, fresh(job).attempt) == (Status.CANCELLED, 0)


# --- 2. Events after a cancel


@pytest.mark.parametrize("late", ["completion", "cancel"])
def test_no_completion_is_announced_after_a_cancel(
    processing: ExportJob, stream: Listener, held: Held, late: str
) -> None:
    lifecycle.complete(processing.pk, processing.attempt, FILE, [])
    lifecycle.cancel(processing.pk, "user:1")

    deliver(held if late == "cancel" else held[::-1])

    assert heard_until_cleaned(processing, stream, held) == ["export:cancelled", "export:cleanup:completed"]


def test_no_progress_is_announced_after_a_cancel(processing: ExportJob, stream: Listener, held: Held) -> None:
    lifecycle.beat(processing.pk, processing.attempt, NOW)
    lifecycle.cancel(processing.pk, "user:1")

    deliver(held)

    assert heard_until_cleaned(processing, stream, held) == ["export:cancelled", "export:cleanup:completed"]


def deliver(announcements: Held) -> None:
    for announcement in announcements:
        publishing.publish(*announcement)


def heard_until_cleaned(job: ExportJob, stream: Listener, held: Held) -> list[str]:
    """What the socket was told up to the last event of all, which is announced now."""
    stream.hear_until("export:cancelled")
    cleaning.clean(job.pk)
    deliver(held[-1:])
    stream.hear_until("export:cleanup:completed")
    return [frame["type"] for frame in stream.heard]


def test_progress_stops_with_the_cancel(processing: ExportJob, caller: Caller) -> None:
    cancelled = caller.cancel(processing).json["job"]

    with pytest.raises(LostClaim):
        lifecycle.beat(processing.pk, processing.attempt, NOW)

    assert caller.about(processing).json["progress"] == cancelled["progress"] == 0


# --- 3. The validation of downloads


@pytest.mark.parametrize(
    "headers", [{}, {"Range": "bytes=5-"}, {"Range": "bytes=999999999-"}, {"If_None_Match": "*"}], ids=str
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_cancel_between_check_and_stream_wins(
    completed: ExportJob, caller: Caller, in_turn: Race, method: str, headers: dict[str, str]
) -> None:
    """The download finds the export completed, and waits for its row behind the cancel."""
    cancelled, downloaded = in_turn(
        completed,
        partial(caller.cancel, completed),
        partial(caller.about, completed, "download", method, **headers),
    )

    assert (cancelled.status, downloaded.status) == (200, 410)  # type: ignore[attr-defined]
    assert "export_cancelled" in [row["detail"].get("code") for row in caller.audit(completed)]


def test_a_cancel_during_the_download_is_refused_and_the_file_arrives_whole(
    completed: ExportJob, caller: Caller
) -> None:
    with closing(caller.connect()) as connection:
        response = caller.send(connection, "GET", job_url(completed, "download"))
        refusal = caller.cancel(completed)
        content = receive(response).body

    assert (refusal.status, refusal.json["code"]) == (409, "already_downloaded")
    assert hashlib.sha256(content).hexdigest() == completed.sha256


# --- 4. The record of moves


def test_a_refused_download_is_in_the_audit(left_over: LeftOver, caller: Caller) -> None:
    caller.download(left_over.job)

    last = caller.audit(left_over.job)[-1]

    assert (last["reason"], last["detail"]["code"]) == ("download_refused", "export_cancelled")
    assert last["actor"] == lifecycle.actor(left_over.job.user)


def test_a_refused_cancel_is_in_the_audit(completed: ExportJob, caller: Caller) -> None:
    caller.download(completed)
    caller.cancel(completed)

    last = caller.audit(completed)[-1]

    assert (last["reason"], last["detail"]["code"]) == ("cancel_refused", "already_downloaded")


# --- Test scenarios


def test_rapid_cancels_and_restarts_mix_nothing_up(project: Project, caller: Caller, worker: Running) -> None:
    given_up = {started_and_cancelled(caller, project).pk for _ in range(8)}
    wanted = start(caller, project)

    until(lambda: caller.about(wanted).json["status"] == "completed")
    until(lambda: not ExportJob.objects.uncleaned().exists())

    assert given_up == {job.pk for job in ExportJob.objects.filter(status=Status.CANCELLED)}
    assert [path.name for _, _, path in files.present()] == [fresh(wanted).file_name]


def test_a_second_cancel_writes_nothing(processing: ExportJob, caller: Caller) -> None:
    first, moves = caller.cancel(processing), caller.audit(processing)

    second = caller.cancel(processing)

    assert (second.status, second.json) == (200, first.json)
    assert caller.audit(processing) == moves


def test_concurrent_cancels_make_one_move(
    race: Race, processing: ExportJob, caller: Caller, stream: Listener
) -> None:
    answers: list[Any] = race(processing, *[partial(caller.cancel, processing)] * 8)
    cleaning.clean(processing.pk)

    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert [row["toStatus"] for row in caller.audit(processing)].count("cancelled") == 2  # and cleaned
    stream.hear_until("export:cleanup:completed")
    assert [frame["type"] for frame in stream.heard] == ["export:cancelled", "export:cleanup:completed"]


@pytest.mark.parametrize("move", AFTERWARDS)
def test_a_cancel_is_final(processing: ExportJob, caller: Caller, move: str) -> None:
    cancelled = caller.cancel(processing).json["job"]

    with pytest.raises((ExportError, DatabaseError)):
        AFTERWARDS[move](processing)

    assert caller.about(processing).json == cancelled


def test_a_restart_loses_no_export(project: Project, alice: User, caller_of: CallerOf) -> None:
    """The web server is killed after its answer, and nobody worked yet."""
    with start_daphne(0, environment(settings.DATA_DIR)) as web:
        job = start(replace(caller_of(alice), url=web.url), project)
        web.kill()

    assert caller_of(alice).about(job).json["status"] == "pending"
    with start_worker(environment(settings.DATA_DIR)):
        until(lambda: fresh(job).status == Status.COMPLETED)


# --- Error responses and security


def test_a_refused_download_says_when_it_was_cancelled(processing: ExportJob, caller: Caller) -> None:
    cancelled = caller.cancel(processing).json["job"]

    answer = caller.download(processing)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {name: answer.json[name] for name in ("code", "jobStatus", "cancelledAt")} == {
        "code": "export_cancelled",
        "jobStatus": "cancelled",
        "cancelledAt": cancelled["cancelledAt"],
    }


def test_a_refused_download_tells_nothing_of_the_file(left_over: LeftOver, caller: Caller) -> None:
    body = caller.download(left_over.job).body.decode()

    assert [secret for secret in (str(settings.DATA_DIR), ".zip", "published") if secret in body] == []


@pytest.mark.parametrize(("name", "status"), [("bob", 404), ("vera", 404), ("mallory", 404), (None, 401)])
def test_only_who_may_can_cancel(
    processing: ExportJob, caller_of: CallerOf, request: pytest.FixtureRequest, name: str | None, status: int
) -> None:
    somebody = caller_of(request.getfixturevalue(name) if name else None)

    assert somebody.cancel(processing).status == status
    assert fresh(processing).version == processing.version


# --- Validation steps


def test_the_export_of_the_report_stays_cancelled(
    big_project: Project, worker: Running, caller: Caller, stream: Listener
) -> None:
    """The report's own six steps, with a real worker that is cancelled under way."""
    job = start(caller, big_project)
    under_way(job)
    assert caller.cancel(job).status == 200

    stream.hear_until("export:cleanup:completed", seconds=PATIENCE)
    assert "export:completed" not in [frame["type"] for frame in stream.heard]
    assert caller.download(job).status == 410
    assert [row["toStatus"] for row in caller.audit(job)][:3] == ["pending", "processing", "cancelled"]
    assert list(files.present()) == []


def start(caller: Caller, project: Project) -> ExportJob:
    return ExportJob.objects.get(pk=caller.ask("POST", exports_url(project.pk), {}).json["jobId"])


def started_and_cancelled(caller: Caller, project: Project) -> ExportJob:
    job = start(caller, project)
    assert caller.cancel(job).status == 200
    return job
