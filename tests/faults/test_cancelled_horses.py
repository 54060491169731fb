"""A cancel that meets a real work horse: the horse is gone at once, its files too, and its worker goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User

from exports import files, lifecycle, sweep
from exports.models import ExportJob
from exports.states import Status
from projects import synthetic
from projects.models import Project
from tests.calling import job_url, key_of
from tests.jobs import request_for
from tests.processes import Running, environment, start_worker
from tests.stack import call
from tests.waiting import until

CANCELS = 10


@pytest.fixture
def big_project(alice: User) -> Project:
    """Some seconds of work."""
    return synthetic.create("big", alice, images=40, size=1024, polygons=100, seed=1)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Running]:
    with start_worker(environment(django_settings.DATA_DIR)) as running:
        yield running


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def horse_under_way(worker: Running, project: Project) -> tuple[ExportJob, psutil.Process]:
    """A new export and the process that builds it."""
    job, _ = lifecycle.request(request_for(project, project.owner))
    until(lambda: fresh(job).stage == "images")
    return job, psutil.Process(worker.process.pid).children()[0]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_ten_cancels_in_a_row_leave_no_horse_and_no_file(
    big_project: Project, worker: Running, daphne: Running
) -> None:
    key_of(big_project.owner, "key")

    horses, disk = zip(*[cancel(worker, big_project, daphne) for _ in range(CANCELS)], strict=True)

    for what, seconds in (("horse", horses), ("files", disk)):
        print(f"{what} gone: median {median(seconds):.3f} s, at most {max(seconds):.3f} s")
    assert (max(horses) < 1, max(disk) < 1) == (True, True)


def cancel(worker: Running, project: Project, web: Running) -> tuple[float, float]:
    """Seconds from the answer until the horse is gone, and until nothing is left on disk."""
    job, horse = horse_under_way(worker, project)
    assert call(web.url, "POST", job_url(job, "cancel"), "key").status == 200
    without_horse = until(lambda: is_gone(horse))
    without_files = until(lambda: not list(files.present()))
    until(lambda: fresh(job).cleaned_at)
    return without_horse, without_horse + without_files


def test_a_worker_whose_horse_was_killed_takes_the_next_job(
    big_project: Project, project: Project, worker: Running
) -> None:
    lost, horse = horse_under_way(worker, big_project)
    horse.kill()

    following, _ = lifecycle.request(request_for(project, project.owner))
    until(lambda: fresh(following).status == Status.COMPLETED)

    assert worker.process.poll() is None
    assert (fresh(lost).status, fresh(lost).attempt) == (Status.PROCESSING, 1)


def test_the_job_of_a_killed_horse_is_built_again_by_the_same_worker(
    big_project: Project, worker: Running, settings: Any
) -> None:
    settings.EXPORT_HEARTBEAT_TIMEOUT = timedelta(seconds=1)
    job, horse = horse_under_way(worker, big_project)
    horse.kill()

    until(lambda: sweep.sweep().abandoned)
    until(lambda: fresh(job).status == Status.COMPLETED)

    assert worker.process.poll() is None
    assert [path.name for _, _, path in files.present()] == [fresh(job).file_name] == [f"{job.pk}-2.zip"]
