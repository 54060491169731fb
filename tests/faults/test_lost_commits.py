"""The connection breaks during COMMIT: who asked is not told, and whatever the database kept is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from tests.faults.exporting import PROJECTS, ask_to_start, children_of, files, horse_of, start, until
from tests.faults.proxy import Line, LineCut, Moment, Proxy, proxy
from tests.processes import Running, start_daphne, start_worker
from tests.stack import Stack, stack

CANCELLING, CLAIMING, COMPLETING, REQUESTING = b"'cancelled'", b"'claimed'", b"'built'", b"'requested'"
"""What only the transaction of each move says."""

IDLE_SECONDS = 15  # a transaction may be idle for so long

CUTS = pytest.mark.parametrize("cut", [Proxy.cut_before, Proxy.cut_after], ids=["before", "after"])


@pytest.fixture(scope="module")
def hub() -> Iterator[Stack]:
    """Without workers: each test that needs one has its own, on a line that breaks."""
    changes = {"EXPORT_HEARTBEAT_TIMEOUT": "4 s", "EXPORT_MAX_ACTIVE_PER_USER": "50"}
    small = {"small": PROJECTS["small"]}
    with stack(workers=0, environment=changes, projects=small) as started:
        yield started


@pytest.fixture(scope="module")
def line(hub: Stack) -> Iterator[Proxy]:
    with proxy(hub) as made:
        yield made


@pytest.fixture(scope="module")
def web(hub: Stack, line: Proxy) -> Iterator[Running]:
    """A web server on the line that breaks."""
    with start_daphne(0, hub.environment | {"DATABASE_URL": line.url}) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_waits(hub: Stack) -> Iterator[None]:
    """Each test's worker finds its own export first."""
    yield
    for (job_id,) in hub.sql("SELECT id FROM exports_exportjob WHERE status IN ('pending', 'processing')"):
        hub.call("POST", f"{hub.exports('small')}/{job_id}/cancel", hub.users["alice"].token)


@contextmanager
def worker(hub: Stack, line: Proxy) -> Iterator[Running]:
    with start_worker(hub.environment | {"DATABASE_URL": line.url}) as running:
        yield running


@CUTS
def test_a_cancel_whose_commit_was_cut_is_not_acked_and_can_be_asked_again(
    hub: Stack, line: Proxy, web: Running, cut: Moment
) -> None:
    export = start(hub)
    line.at_commit(cut, having=CANCELLING)

    answer = export.cancel(web.url)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert export.status == ("cancelled" if cut is Proxy.cut_after else "pending")
    assert export.cancel(web.url).status == 200


def test_a_cancel_whose_connection_is_terminated_before_commit_changes_nothing(
    hub: Stack, line: Proxy, web: Running
) -> None:
    export = start(hub)
    line.at_commit(lambda _: terminate_connections(hub), having=CANCELLING)

    assert export.cancel(web.url).status == 503

    assert export.status == "pending"
    assert export.cancel(web.url).status == 200


@CUTS
def test_a_request_whose_commit_was_cut_leads_to_one_job_when_it_is_repeated(
    hub: Stack, line: Proxy, web: Running, cut: Moment
) -> None:
    key = f"commit-{cut.__name__}"
    line.at_commit(cut, having=REQUESTING)

    assert ask_to_start(hub, url=web.url, key=key).status == 503
    repeated = ask_to_start(hub, url=web.url, key=key)

    assert repeated.status == (200 if cut is Proxy.cut_after else 202)
    assert hub.sql("SELECT id::text FROM exports_exportjob WHERE idempotency_key = %s", [key]) == [
        (repeated.json["jobId"],)
    ]


@CUTS
def test_a_claim_whose_commit_was_cut_is_made_again(hub: Stack, line: Proxy, cut: Moment) -> None:
    line.at_commit(cut, having=CLAIMING)
    with worker(hub, line):
        export = start(hub)
        line.wait_until_struck()
        export.wait_until("completed")

    assert export.column("attempt") == (2 if cut is Proxy.cut_after else 1)
    assert export.is_whole()


def test_a_completion_that_was_committed_keeps_its_file_though_the_worker_was_not_told(
    hub: Stack, line: Proxy
) -> None:
    line.at_commit(Proxy.cut_after, having=COMPLETING)
    with worker(hub, line) as running:
        export = start(hub)
        line.wait_until_struck()
        until(lambda: not children_of(running), "the work horse ends")

    assert (export.status, export.column("attempt")) == ("completed", 1)
    assert export.is_whole()


def test_a_completion_that_was_not_committed_is_made_again(hub: Stack, line: Proxy) -> None:
    line.at_commit(Proxy.cut_before, having=COMPLETING)
    with worker(hub, line):
        export = start(hub)
        line.wait_until_struck()
        export.wait_until("completed")

    assert export.column("attempt") == 2
    until(lambda: files_of(hub, export.id) == [export.column("file_name")], "the first file is removed")
    assert export.is_whole()


def test_what_a_killed_work_horse_had_not_committed_is_rolled_back(hub: Stack, line: Proxy) -> None:
    with worker(hub, line) as running:

        def kill_the_horse(_line: Line) -> None:
            horse_of(running).kill()
            raise LineCut

        line.at_commit(kill_the_horse, having=COMPLETING)
        export = start(hub)
        line.wait_until_struck()
        export.wait_until("completed")

    assert (export.column("attempt"), export.column("losses")) == (2, 1)


@pytest.mark.long
def test_a_web_server_that_hangs_before_its_commit_blocks_others_for_15_seconds_at_most(
    hub: Stack, line: Proxy, web: Running
) -> None:
    export, is_over = start(hub), Event()
    line.at_commit(lambda _: wait_for(is_over), having=CANCELLING)
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(export.cancel, web.url, timeout=60)
        line.wait_until_struck()
        assert export.cancel().status == 503

        until(lambda: export.cancel().status == 200, "the lock is free", IDLE_SECONDS + 10)
        is_over.set()

    assert hanging.result().status == 503


@pytest.mark.long
def test_a_completion_that_hangs_until_its_session_is_ended_is_made_again(hub: Stack, line: Proxy) -> None:
    is_over = Event()
    line.at_commit(lambda _: wait_for(is_over), having=COMPLETING)
    with worker(hub, line) as running, frozen(hub.scheduler):
        export = start(hub)
        line.wait_until_struck()
        until(lambda: not open_transactions(hub), "the session is ended", IDLE_SECONDS + 10)
        is_over.set()
        until(lambda: not children_of(running), "the work horse ends")
        assert export.status == "processing"

    with worker(hub, line):
        export.wait_until("completed")


def wait_for(event: Event) -> None:
    event.wait(60)


@contextmanager
def frozen(program: Running) -> Iterator[None]:
    program.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.process.send_signal(signal.SIGCONT)


def open_transactions(hub: Stack) -> list[tuple[object, ...]]:
    return hub.sql("SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")


def terminate_connections(hub: Stack) -> None:
    hub.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def files_of(hub: Stack, job_id: str) -> list[str]:
    return [name for name in files(hub) if name.startswith(job_id)]
