"""Real workers, killed, frozen, stopped and cut off from Redis: the job's row keeps every promise."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from redis import Redis

from exports import files, lifecycle, sweep
from exports.models import ExportJob
from exports.states import Status
from projects import synthetic
from projects.models import Project
from tests.jobs import request_for
from tests.processes import Running, environment, start_worker
from tests.waiting import until


@pytest.fixture
def big_project(project: Project) -> Project:
    """Enough work that a fault meets it under way: some seconds of overlays."""
    synthetic.create("big", project.owner, images=40, size=1024, polygons=100, holes=3, seed=1)
    return Project.objects.get(name="big")


@pytest.fixture
def worker() -> Iterator[Running]:
    with start_worker(environment(django_settings.DATA_DIR, LOG_LEVEL="INFO")) as running:
        yield running


def refused_writes(worker: Running) -> int:
    """Of attempts that had lost their job, as the worker notes them."""
    return worker.output.read_text().count('"event": "export_left_alone"')


def requested(project: Project) -> ExportJob:
    return lifecycle.request(request_for(project, project.owner))[0]


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def horse_of(worker: Running) -> psutil.Process:
    until(lambda: psutil.Process(worker.process.pid).children())
    return psutil.Process(worker.process.pid).children()[0]


def under_way(job: ExportJob) -> None:
    until(lambda: fresh(job).stage == "images")


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_worker_builds_what_was_requested(project: Project, worker: Running) -> None:
    job = requested(project)

    until(lambda: fresh(job).status == Status.COMPLETED)

    assert (Path(files._path(str(fresh(job).file_name))).stat().st_size) == fresh(job).file_size


def test_a_cancel_kills_the_horse_and_its_files_go(big_project: Project, worker: Running) -> None:
    job = requested(big_project)
    under_way(job)
    horse = horse_of(worker)

    lifecycle.cancel(job.pk, "user:1")

    assert until(lambda: is_gone(horse)) < 1
    until(lambda: fresh(job).cleaned_at)
    assert fresh(job).status == Status.CANCELLED
    assert list(files.present()) == []


def test_a_cancel_with_redis_down_ends_the_build_at_its_next_beat(
    project: Project, worker: Running, settings: Any
) -> None:
    from exports import dispatch

    # More than twice as long as the build may go on.
    job = requested(synthetic.create("long", project.owner, images=140, size=1024, polygons=100, seed=1))
    under_way(job)
    horse = horse_of(worker)
    settings.REDIS_URL = "unix:///nowhere.sock"
    dispatch.connection.cache_clear()

    lifecycle.cancel(job.pk, "user:1")

    assert until(lambda: is_gone(horse)) < 5
    dispatch.connection.cache_clear()


def test_no_horse_outlives_its_worker(big_project: Project, worker: Running) -> None:
    job = requested(big_project)
    under_way(job)
    horse = horse_of(worker)

    worker.kill()

    assert until(lambda: is_gone(horse)) < 1


def test_the_job_of_a_killed_worker_is_done_by_another(big_project: Project, settings: Any) -> None:
    settings.EXPORT_HEARTBEAT_TIMEOUT = timedelta(seconds=1)
    job = requested(big_project)
    with start_worker(environment(django_settings.DATA_DIR)) as first:
        under_way(job)
        first.kill()
    until(lambda: sweep.sweep().abandoned)

    with start_worker(environment(django_settings.DATA_DIR)):
        until(lambda: fresh(job).status == Status.COMPLETED)

    assert (fresh(job).attempt, fresh(job).losses) == (2, 1)


def test_a_frozen_horse_changes_nothing_when_it_wakes(
    big_project: Project, worker: Running, settings: Any
) -> None:
    settings.EXPORT_HEARTBEAT_TIMEOUT = timedelta(seconds=1)
    job = requested(big_project)
    under_way(job)
    frozen = horse_of(worker)
    os.kill(frozen.pid, signal.SIGSTOP)
    # The stop that goes with the requeue is lost too, as it is when Redis is away.
    Redis.from_url(django_settings.REDIS_URL).flushall()
    until(lambda: sweep.sweep().abandoned)
    newer = lifecycle.claim(job.pk)

    os.kill(frozen.pid, signal.SIGCONT)
    until(lambda: is_gone(frozen))

    assert refused_writes(worker) == 1
    assert (fresh(job).status, fresh(job).attempt) == (Status.PROCESSING, newer.attempt)
    assert fresh(job).version == newer.version


def test_a_worker_told_to_stop_gives_its_job_back(big_project: Project, worker: Running) -> None:
    job = requested(big_project)
    under_way(job)

    worker.process.terminate()
    worker.process.wait(20)

    assert (fresh(job).status, fresh(job).losses) == (Status.PENDING, 0)


def test_an_emptied_redis_loses_no_job(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "RING_AGAIN_AFTER", timedelta(0))
    job = requested(project)
    Redis.from_url(django_settings.REDIS_URL).flushall()

    assert sweep.sweep().forgotten == 1
    with start_worker(environment(django_settings.DATA_DIR)):
        until(lambda: fresh(job).status == Status.COMPLETED)


def test_a_call_delivered_twice_is_done_once(project: Project, worker: Running) -> None:
    from exports import dispatch

    job = requested(project)
    dispatch._enqueue(dispatch.BUILD, job.pk, f"again-{job.pk}")

    until(lambda: fresh(job).status == Status.COMPLETED)
    queue = dispatch._queue()
    until(lambda: not queue.job_ids and not queue.started_job_registry.get_job_ids())

    assert fresh(job).attempt == 1


def test_a_job_that_kills_its_worker_each_time_fails_after_the_last_attempt(
    big_project: Project, worker: Running, settings: Any
) -> None:
    settings.EXPORT_HEARTBEAT_TIMEOUT = timedelta(seconds=1)
    job = requested(big_project)
    for _ in range(settings.EXPORT_MAX_ATTEMPTS):
        under_way(job)
        horse_of(worker).kill()
        until(lambda: sweep.sweep().abandoned)

    assert (fresh(job).status, fresh(job).error_code) == (Status.FAILED, "worker_lost")
    assert fresh(job).attempt == settings.EXPORT_MAX_ATTEMPTS
