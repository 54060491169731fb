"""SIGTERM to the workers under load: their jobs go back uncharged, and other workers do them."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.faults.exporting import PROJECTS, Export, files, start, start_different, until
from tests.processes import start_worker
from tests.stack import Stack, stack

GONE_SECONDS = 20


@pytest.fixture(scope="module")
def hub() -> Iterator[Stack]:
    with stack(workers=2, environment={"EXPORT_MAX_ACTIVE_PER_USER": "50"}, projects=PROJECTS) as started:
        yield started


@pytest.fixture(autouse=True)
def _workers_run(hub: Stack) -> None:
    for worker in hub.workers:
        if worker.process.poll() is not None:
            worker.start()


@pytest.fixture
def load(hub: Stack) -> Iterator[list[Export]]:
    """Four exports, two of them under way."""
    exports = start_different(hub, 4, "big")
    until(lambda: [each.column("stage") for each in exports].count("images") == 2, "two are under way")
    yield exports
    for export in exports:
        export.cancel()


def test_workers_told_to_stop_under_load_fail_nothing_and_lose_nothing(
    hub: Stack, load: list[Export]
) -> None:
    family = family_of(hub)

    for worker in hub.workers:
        worker.process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)

    assert alive == []
    assert_given_back(load)
    assert files(hub) == sorted(filter(None, (each.column("file_name") for each in load)))
    for worker in hub.workers:
        worker.start()
    for export in load:
        export.wait_until("completed")
    assert {each.column("losses") for each in load} == {0}


@pytest.mark.parametrize("moment", ["before-fork", "in-fork"])
def test_a_worker_told_to_stop_in_the_instant_of_its_fork_gives_the_job_back(hub: Stack, moment: str) -> None:
    changes = {"DJANGO_SETTINGS_MODULE": "tests.faults.untimely_settings", "UNTIMELY": moment}
    stop_workers(hub)
    hub.redis().flushall()  # nothing but this export is to be done
    export = start(hub, "big", pixelToMicrometerScale=3)
    with start_worker(hub.environment | changes) as worker:
        worker.process.wait(GONE_SECONDS)

    assert (export.moves(), export.column("losses")) == (["pending", "processing", "pending"], 0)
    export.cancel()


def test_workers_told_to_stop_while_redis_is_away_fail_nothing_and_lose_nothing(
    hub: Stack, load: list[Export]
) -> None:
    family = family_of(hub)
    hub.kill_redis()

    for worker in hub.workers:
        worker.process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)

    assert alive == []
    assert_given_back(load)
    hub.start_redis()


def assert_given_back(load: list[Export]) -> None:
    """One may have ended just before."""
    assert {each.status for each in load} <= {"pending", "completed"}
    assert {each.column("losses") for each in load} == {0}
    assert ["pending", "processing", "pending"] in [each.moves() for each in load]


def family_of(hub: Stack) -> list[psutil.Process]:
    """The workers and their work horses."""
    workers = [psutil.Process(worker.process.pid) for worker in hub.workers]
    return [*workers, *(horse for worker in workers for horse in worker.children(recursive=True))]


def stop_workers(hub: Stack) -> None:
    for worker in hub.workers:
        worker.stop()
