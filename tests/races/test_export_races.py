"""Who wins when two moves meet: one of them, and the other is told so.

Each of these was seen to fail with `select_for_update` removed from `lifecycle`.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from exports import files, grants, lifecycle
from exports.messages import Failure, PublishedFile
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.calling import job_url
from tests.fetching import fetch
from tests.jobs import download, request_for
from tests.races.conftest import Race, outcome_of, until_waiting

FILE = PublishedFile("x.zip", 3, "0" * 64)


def kinds(outcomes: list[object]) -> Counter[str]:
    return Counter(type(each).__name__ for each in outcomes)


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def audit(job: ExportJob) -> list[str]:
    """The states that it moved to; what was refused moved nothing."""
    return list(job.transitions.exclude(reason__endswith="_refused").values_list("to_status", flat=True))


def test_cancel_and_complete_cannot_both_win(race: Race, processing: ExportJob) -> None:
    cancel = partial(lifecycle.cancel, processing.pk, "user:1")
    complete = partial(lifecycle.complete, processing.pk, 1, FILE, [])

    cancelled, finished = race(processing, cancel, complete)

    # A cancel that comes second still cancels: nobody has downloaded it yet.
    assert isinstance(cancelled, ExportJob)
    assert fresh(processing).status == Status.CANCELLED
    assert fresh(processing).file_name is None
    assert type(finished).__name__ in ("LostClaim", "ExportJob")


def test_cancel_and_download_exclude_each_other(race: Race, completed: ExportJob) -> None:
    cancel = partial(lifecycle.cancel, completed.pk, "user:1")

    outcomes = kinds(race(completed, cancel, partial(download, completed.pk)))

    assert outcomes in (Counter(["ExportJob", "Cancelled"]), Counter(["ExportJob", "AlreadyDownloaded"]))
    assert (fresh(completed).status == Status.CANCELLED) == bool(outcomes["Cancelled"])


def test_a_cancel_that_comes_while_the_file_is_opened_comes_too_late(
    completed: ExportJob, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = files.open_published
    cancel = partial(lifecycle.cancel, completed.pk, "user:1")

    def open_while_a_cancel_waits(name: str) -> BinaryIO:
        futures.append(pool.submit(outcome_of, cancel))
        until_waiting(1)
        return opened(name)

    monkeypatch.setattr(files, "open_published", open_while_a_cancel_waits)
    futures: list[Future[object]] = []
    with ThreadPoolExecutor(1) as pool:
        response, body = fetch(alice, job_url(completed, "download"))
        assert type(futures[0].result()).__name__ == "AlreadyDownloaded"
    assert (response.status_code, len(body)) == (200, completed.file_size)


def test_many_cancels_make_one_move_and_give_one_answer(race: Race, processing: ExportJob) -> None:
    outcomes = race(processing, *[partial(lifecycle.cancel, processing.pk, "user:1")] * 64)

    assert {getattr(each, "version", each) for each in outcomes} == {fresh(processing).version}
    assert audit(processing).count("cancelled") == 1


def test_one_job_is_claimed_once(race: Race, job: ExportJob) -> None:
    outcomes = race(job, *[partial(lifecycle.claim, job.pk)] * 16)

    assert kinds(outcomes) == Counter({"ExportJob": 1, "IllegalMove": 15})
    assert fresh(job).attempt == 1


def test_cancel_and_claim_leave_no_job_running(race: Race, job: ExportJob) -> None:
    race(job, partial(lifecycle.claim, job.pk), partial(lifecycle.cancel, job.pk, "user:1"))

    assert fresh(job).status == Status.CANCELLED


def test_complete_and_requeue_cannot_both_win(race: Race, processing: ExportJob) -> None:
    requeue = partial(lifecycle.requeue, processing.pk, timedelta(0))
    complete = partial(lifecycle.complete, processing.pk, 1, FILE, [])

    outcomes = race(processing, requeue, complete)

    assert kinds(outcomes) in (Counter(["ExportJob", "LostClaim"]), Counter(["ExportJob", "IllegalMove"]))


def test_cancel_and_fail_end_it_once(race: Race, processing: ExportJob) -> None:
    failure = Failure("build_failed", "No.", retryable=True)
    cancel = partial(lifecycle.cancel, processing.pk, "user:1")

    race(processing, cancel, partial(lifecycle.fail, processing.pk, 1, failure))

    assert len([each for each in audit(processing) if each in (Status.CANCELLED, Status.FAILED)]) == 1


def test_one_automatic_download_is_granted(race: Race, completed: ExportJob) -> None:
    outcomes = race(completed, *[partial(grants.claim_auto_download, completed.pk, "user:1")] * 16)

    assert kinds(outcomes) == Counter({"ExportJob": 1, "AlreadyAutoDownloaded": 15})


def test_parallel_requests_stay_within_the_limit(
    race: Race, project: Project, alice: User, bell: list[Any]
) -> None:
    wanted = [request_for(project, alice, pixel_to_micrometer_scale=1 + number) for number in range(64)]

    outcomes = race(alice, *[partial(lifecycle.request, each) for each in wanted])

    assert kinds(outcomes) == Counter({"tuple": 3, "TooManyActiveExports": 61})
    assert ExportJob.objects.active().count() == 3


def test_parallel_requests_of_one_key_make_one_job(
    race: Race, project: Project, alice: User, bell: list[Any]
) -> None:
    wanted = request_for(project, alice, key="the same")

    outcomes = race(alice, *[partial(lifecycle.request, wanted)] * 64)

    assert kinds(outcomes) == Counter({"tuple": 64})
    assert ExportJob.objects.count() == 1


def test_parallel_requests_of_the_same_options_make_one_job(
    race: Race, project: Project, alice: User, bell: list[Any]
) -> None:
    wanted = [request_for(project, alice, key=f"key-{number}") for number in range(64)]

    outcomes = race(alice, *[partial(lifecycle.request, each) for each in wanted])

    assert kinds(outcomes) == Counter({"tuple": 64})
    assert ExportJob.objects.count() == 1


def test_a_cancel_that_cannot_get_the_lock_promises_nothing(processing: ExportJob) -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        ExportJob.objects.select_for_update().get(pk=processing.pk)
        outcome = pool.submit(outcome_of, partial(lifecycle.cancel, processing.pk, "user:1")).result()

    assert type(outcome).__name__ == "Busy"
    assert fresh(processing).status == Status.PROCESSING
