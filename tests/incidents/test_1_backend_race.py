"""Report 1, "Backend Export Race Condition Analysis": a cancelled export completed and was downloaded.

The sections below follow the report: the download controller, the processing race, the inadequate cancel,
the path of the file, the missing lock, cleanup and interruption, then its audit, events and monitoring.
"""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Now

from exports import build, cleaning, files, lifecycle
from exports.exceptions import LostClaim
from exports.messages import PublishedFile
from exports.models import ExportJob
from projects.models import Project
from tests.calling import exports_url
from tests.faults.conftest import Listener
from tests.incidents.conftest import Interrupt, LeftOver, horse_of, is_gone, under_way
from tests.incidents.outside import PROMPTLY, Caller
from tests.jobs import request_for
from tests.processes import Running
from tests.races.conftest import Race
from tests.waiting import until

FILE = PublishedFile("x.zip", 10, "0" * 64)
TRUTH = {"status": "cancelled", "downloadUrl": None, "completedAt": None, "exportSize": None, "sha256": None}


def told(view: dict[str, Any]) -> dict[str, Any]:
    return {name: view[name] for name in TRUTH}


# --- 1. The download controller


@pytest.mark.parametrize(
    "headers",
    [{}, {"Range": "bytes=0-99"}, {"Range": "bytes=100-"}, {"Range": "bytes=-1"}, {"If_None_Match": "*"}],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_cancelled_export_is_never_downloaded(
    left_over: LeftOver, caller: Caller, method: str, headers: dict[str, str]
) -> None:
    answer = caller.about(left_over.job, "download", method, **headers)

    assert answer.status == 410
    assert left_over.content[:99] not in answer.body


def test_a_cancelled_export_is_not_confirmed_to_who_has_it(left_over: LeftOver, caller: Caller) -> None:
    known = caller.download(left_over.job, If_None_Match=left_over.etag)
    resumed = caller.download(left_over.job, If_Range=left_over.etag, Range="bytes=9-")

    assert (known.status, resumed.status) == (410, 410)


def test_a_token_made_before_the_cancel_downloads_nothing(left_over: LeftOver, caller: Caller) -> None:
    answer = Caller(caller.url).ask("GET", left_over.address_with_token)

    assert (answer.status, answer.json["code"]) == (410, "export_cancelled")


@pytest.mark.parametrize(
    ("state", "code"),
    [("job", "export_not_completed"), ("processing", "export_not_completed"), ("failed", "export_failed")],
)
def test_an_export_that_is_not_completed_has_no_download(
    caller: Caller, request: pytest.FixtureRequest, state: str, code: str
) -> None:
    answer = caller.download(request.getfixturevalue(state))

    assert (answer.status, answer.json["code"]) == (404, code)


# --- 2. The processing race


def test_completion_cannot_overwrite_a_cancel(processing: ExportJob, caller: Caller) -> None:
    assert caller.cancel(processing).status == 200

    with pytest.raises(LostClaim):
        lifecycle.complete(processing.pk, processing.attempt, FILE, [])

    assert told(caller.about(processing).json) == TRUTH


def test_not_even_sql_makes_a_cancelled_export_completed(processing: ExportJob, caller: Caller) -> None:
    caller.cancel(processing)
    named = {"file_name": "x.zip", "file_size": 1, "sha256": "0" * 64, "expires_at": Now()}
    ended = {"completed_at": Now(), "cancelled_at": None, "cancel_reason": None}

    with pytest.raises(IntegrityError, match="cancelled cannot become completed"):
        ExportJob.objects.filter(pk=processing.pk).update(
            status="completed", version=F("version") + 1, **named, **ended
        )


def test_a_cancel_in_the_last_moment_before_completion_wins(
    job: ExportJob, caller: Caller, interrupt: Interrupt
) -> None:
    """After the file was published, before the commit that would have named it."""
    interrupt(lifecycle, "complete", lambda: caller.cancel(job))

    with pytest.raises(LostClaim):
        build.run(job.pk)

    assert told(caller.about(job).json) == TRUTH
    assert list(files.present()) == []


# --- 3. The inadequate cancel


def test_a_cancel_stops_the_process_that_builds(
    big_project: Project, worker: Running, caller: Caller
) -> None:
    """Also one that cannot look at its row: here it is frozen."""
    job = lifecycle.request(request_for(big_project, big_project.owner))[0]
    under_way(job)
    horse = horse_of(worker)
    os.kill(horse.pid, signal.SIGSTOP)

    caller.cancel(job)

    until(lambda: is_gone(horse))


def test_a_cancel_removes_what_was_built(big_project: Project, worker: Running, caller: Caller) -> None:
    job = lifecycle.request(request_for(big_project, big_project.owner))[0]
    under_way(job)
    assert [job_id for job_id, _, _ in files.present()] == [job.pk]

    caller.cancel(job)

    until(lambda: caller.about(job).json["cleanupCompleted"])
    assert list(files.present()) == []


def test_a_cancel_removes_a_finished_file_without_a_worker(completed: ExportJob, caller: Caller) -> None:
    caller.cancel(completed)

    until(lambda: not list(files.present()))


# --- 4. The path of the file


def test_a_cancelled_export_shows_no_address_of_a_file(left_over: LeftOver, caller: Caller) -> None:
    job = left_over.job
    again, status = caller.cancel(job).json["job"], caller.about(job).json
    (history,) = caller.ask("GET", f"{exports_url(job.project_id)}/history").json["jobs"]

    assert [told(view) for view in (again, status, history)] == [TRUTH] * 3


def test_a_snapshot_shows_no_address_of_a_cancelled_export(left_over: LeftOver, stream: Listener) -> None:
    stream.socket.send(json.dumps({"type": "export:sync"}))

    (view,) = stream.hear_until("export:snapshot")["jobs"]

    assert told(view) == TRUTH


@pytest.mark.parametrize("action", ["download-token", "auto-download"])
def test_a_cancelled_export_gives_out_no_new_address(
    left_over: LeftOver, caller: Caller, action: str
) -> None:
    assert caller.about(left_over.job, action, "POST").status == 410


# --- Missing atomic operations


def test_a_cancel_and_a_completion_at_once_leave_one_truth(
    race: Race, processing: ExportJob, caller: Caller
) -> None:
    answer, _ = race(
        processing,
        partial(caller.cancel, processing),
        partial(lifecycle.complete, processing.pk, processing.attempt, FILE, []),
    )

    assert answer.status == 200  # type: ignore[attr-defined]
    assert told(caller.about(processing).json) == TRUTH


# --- Missing cleanup and interruption


def test_a_cancelled_build_holds_no_file_open(job: ExportJob, caller: Caller, interrupt: Interrupt) -> None:
    interrupt(build.files, "publish", lambda: caller.cancel(job))

    with pytest.raises(LostClaim) as kept:  # and with it everything that the build had in its hands
        build.run(job.pk)

    held = [each.path for each in psutil.Process().open_files()]
    assert [path for path in held if Path(path).is_relative_to(settings.EXPORT_ROOT)] == [], kept


# --- Monitoring


def test_every_move_is_in_the_audit_with_who_and_why(processing: ExportJob, caller: Caller) -> None:
    caller.cancel(processing)
    cleaning.clean(processing.pk)

    named = ("fromStatus", "toStatus", "reason", "actor", "attempt")
    user = lifecycle.actor(processing.user)
    assert [tuple(row[name] for name in named) for row in caller.audit(processing)] == [
        (None, "pending", "requested", user, 0),
        ("pending", "processing", "claimed", "worker", 1),
        ("processing", "cancelled", "user_cancelled", user, 1),
        ("cancelled", "cancelled", "cleaned", "system", 1),
    ]


def test_the_audit_tells_times_to_the_microsecond(processing: ExportJob, caller: Caller) -> None:
    caller.cancel(processing)

    times = [row["at"] for row in caller.audit(processing)]

    assert times == sorted(set(times))
    assert caller.about(processing).json["cancelledAt"] == times[-1]


def test_a_cancel_and_its_cleanup_are_announced(
    processing: ExportJob, caller: Caller, stream: Listener
) -> None:
    caller.cancel(processing)
    cancelled = stream.hear(PROMPTLY)
    cleaning.clean(processing.pk)

    assert (cancelled["type"], cancelled["cleanupCompleted"]) == ("export:cancelled", False)
    assert stream.hear(PROMPTLY)["type"] == "export:cleanup:completed"


@pytest.mark.parametrize(("minutes", "is_stuck"), [(4, False), (6, True)])
def test_a_stuck_cancellation_is_named(
    cancelled: ExportJob, caller: Caller, capsys: pytest.CaptureFixture[str], minutes: int, is_stuck: bool
) -> None:
    ago = Now() - timedelta(minutes=minutes)
    ExportJob.objects.filter(pk=cancelled.pk).update(cancelled_at=ago, version=F("version") + 1)
    call_command("export_stats", "--json")
    counted = json.loads(capsys.readouterr().out)["stuck_cancellations"]
    warned = str(caller.ask("GET", "/readyz").json["warnings"])

    assert (counted, str(cancelled.pk) in warned) == ([str(cancelled.pk)] * is_stuck, is_stuck)
