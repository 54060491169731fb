"""A real server and a real socket for the reported failures, and moments at which somebody cancels."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from exports import events
from exports.models import ExportJob
from exports.states import Status
from projects import synthetic
from projects.models import Project
from tests.calling import key_of
from tests.faults.conftest import Listener, daphne, listen_to
from tests.incidents.outside import Caller, fresh
from tests.processes import Running, environment, start_worker
from tests.races.conftest import Race, outcome_of, race, until_waiting
from tests.waiting import until

__all__ = ["daphne", "listen_to", "race"]

CallerOf = Callable[[User | None], Caller]
Held = list[tuple[str, dict[str, Any]]]
Interrupt = Callable[[object, str, Callable[[], object]], None]


@pytest.fixture
def caller_of(daphne: Running, transactional_db: None) -> CallerOf:
    """Somebody with a key for programs, or nobody."""

    def known(user: User | None) -> Caller:
        if user is None:
            return Caller(daphne.url)
        key = key_of(user, secrets.token_urlsafe())
        return Caller(daphne.url, {"Authorization": f"Bearer {key}"})

    return known


@pytest.fixture(autouse=True)
def _quiet_server(transactional_db: None) -> Iterator[None]:
    """The tables are emptied only when the server has removed the files of what was cancelled."""
    yield
    with suppress(TimeoutError):  # in some tests nobody removes them
        until(lambda: not _still_to_be_cleaned(), seconds=2)


def _still_to_be_cleaned() -> bool:
    return ExportJob.objects.uncleaned().filter(transitions__to_status=Status.COMPLETED).exists()


@pytest.fixture
def caller(caller_of: CallerOf, alice: User) -> Caller:
    """Alice, who owns the project and the job."""
    return caller_of(alice)


@pytest.fixture
def stream(daphne: Running, listen_to: Callable[..., Listener], alice: User) -> Listener:
    """Alice's socket, before anything happens."""
    listener = listen_to(daphne, alice)
    listener.hear_until("export:snapshot")
    listener.heard.clear()
    return listener


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Running]:
    with start_worker(environment(settings.DATA_DIR)) as running:
        yield running


@pytest.fixture
def big_project(project: Project) -> Project:
    """Some seconds of work, so that a cancel meets it under way."""
    synthetic.create("big", project.owner, images=40, size=1024, polygons=100, holes=3, seed=1)
    return Project.objects.get(name="big")


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Have something happen just before a function of this process is called for the first time."""

    def arrange(owner: object, name: str, act: Callable[[], object]) -> None:
        original, done = getattr(owner, name), []

        def called(*args: Any, **kwargs: Any) -> object:
            if not done:
                done.append(act())
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, called)

    return arrange


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Announcements of this process that are on their way: a test delivers them when, and if, it likes."""
    kept: Held = []
    monkeypatch.setattr(events, "publish", lambda group, payload: kept.append((group, payload)))
    return kept


@pytest.fixture
def in_turn() -> Race:
    """As `race`, but the contenders come to wait for the lock in this order, and get it in this order."""

    def run(row: ExportJob, *calls: Callable[[], object]) -> list[object]:
        with ThreadPoolExecutor(len(calls)) as pool:
            with transaction.atomic():
                type(row).objects.select_for_update().get(pk=row.pk)
                futures = []
                for number, call in enumerate(calls, start=1):
                    futures.append(pool.submit(outcome_of, call))
                    until_waiting(number)
            return [future.result() for future in futures]

    return run


@dataclass(frozen=True)
class LeftOver:
    """A cancelled export whose file is still there, and what its owner had got while it was completed."""

    job: ExportJob
    content: bytes
    etag: str
    address_with_token: str


@pytest.fixture
def left_over(completed: ExportJob, caller: Caller) -> LeftOver:
    path = Path(settings.EXPORT_ROOT) / "published" / str(completed.file_name)
    content = path.read_bytes()
    url = caller.about(completed, "download-token", "POST").json["url"]
    assert caller.cancel(completed).status == 200
    until(lambda: fresh(completed).cleaned_at)
    path.write_bytes(content)
    return LeftOver(fresh(completed), content, f'"{completed.sha256}"', url)


def horse_of(worker: Running) -> psutil.Process:
    """The process that builds."""
    until(lambda: psutil.Process(worker.process.pid).children())
    return psutil.Process(worker.process.pid).children()[0]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def under_way(job: ExportJob) -> None:
    until(lambda: fresh(job).stage == "images")
