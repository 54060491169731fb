"""PostgreSQL killed at once and its connections cut: what was acked stays, what was accepted ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

import psycopg
import pytest

from tests.faults.exporting import PROJECTS, ask_to_start, start, start_different, until
from tests.stack import Stack, stack

LONGEST_IDLE = """
    SELECT coalesce(extract(epoch FROM max(clock_timestamp() - state_change)), 0)
    FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'
"""
DEADLOCKS = "SELECT coalesce(sum(deadlocks), 0) FROM pg_stat_database"  # since PostgreSQL's start


@pytest.fixture(scope="module")
def hub() -> Iterator[Stack]:
    """Patient with exports that lose their worker at each fault of a test."""
    changes = {
        "EXPORT_HEARTBEAT_TIMEOUT": "4 s",
        "EXPORT_MAX_ACTIVE_PER_USER": "50",
        "EXPORT_MAX_ATTEMPTS": "50",
    }
    with stack(workers=2, environment=changes, projects=PROJECTS) as started:
        yield started


@pytest.fixture
def database_away(hub: Stack) -> Iterator[None]:
    hub.kill_postgres()
    yield
    hub.start_postgres()


cuts = pytest.mark.parametrize("count", [3, pytest.param(10, marks=pytest.mark.long)])


def power_cut(hub: Stack) -> None:
    hub.kill_postgres()
    hub.start_postgres()


@cuts
def test_an_acked_request_survives_a_power_cut_and_ends(hub: Stack, count: int) -> None:
    exports = []
    for number in range(count):
        exports.append(start(hub, pixelToMicrometerScale=1 + number))
        power_cut(hub)
        assert exports[-1].status

    for export in exports:
        export.wait_until("completed")


@cuts
def test_an_acked_cancel_survives_a_power_cut(hub: Stack, count: int) -> None:
    exports = start_different(hub, count, "big")
    for export in exports:
        assert export.cancel().status == 200
        power_cut(hub)
        assert export.status == "cancelled"

    assert {each.status for each in exports} == {"cancelled"}


def test_a_cancel_while_the_database_is_away_is_no_cancel(hub: Stack) -> None:
    export = start(hub, "big")
    hub.kill_postgres()
    answer = export.cancel()
    hub.start_postgres()

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "cancelled" not in export.moves()
    assert export.cancel().status == 200


def test_a_request_while_the_database_is_away_is_accepted_when_it_is_repeated(hub: Stack) -> None:
    hub.kill_postgres()
    refused = ask_to_start(hub, key="while-away")
    hub.start_postgres()

    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert ask_to_start(hub, key="while-away").status == 202


def test_the_web_server_lives_while_the_database_is_away(hub: Stack, database_away: None) -> None:
    assert hub.call("GET", "/healthz").status == 200
    assert hub.call("GET", "/readyz").status == 503


def test_a_page_says_calmly_that_the_database_is_away(hub: Stack, database_away: None) -> None:
    page = f"/projects/{hub.projects['small']}/"

    answer = hub.call("GET", page, headers={"Cookie": f"sessionid={hub.users['alice'].session}"})

    assert (answer.status, "Retry-After" in answer.headers) == (503, True)
    assert b"Traceback" not in answer.body


def test_an_export_whose_connections_are_all_cut_still_ends(hub: Stack) -> None:
    export = start(hub, "big")
    export.wait_until_under_way()

    hub.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    export.wait_until("completed")
    assert export.column("losses") > 0
    assert export.is_whole()


def test_an_export_under_way_at_a_power_cut_is_taken_back(hub: Stack) -> None:
    export = start(hub, "big", pixelToMicrometerScale=2)
    export.wait_until_under_way()

    power_cut(hub)

    until(lambda: export.moves()[-1] == "pending", "it is taken back", seconds=45)
    export.wait_until("completed")


@pytest.mark.long
def test_no_transaction_stays_open_and_none_deadlocks_under_load_and_power_cuts(hub: Stack) -> None:
    with sampled(hub, LONGEST_IDLE) as idle_seconds, sampled(hub, DEADLOCKS) as deadlocks:
        exports = start_different(hub, 3, "big")
        for export in exports:
            export.wait_until("processing", "completed")
            power_cut(hub)
        for export in exports:
            export.wait_until("completed")

    assert len(idle_seconds) > 50
    assert max(idle_seconds) < 2
    assert max(deadlocks) == 0


@contextmanager
def sampled(hub: Stack, question: str) -> Iterator[list[float]]:
    """Collects the answers to `question`, again and again, while the database is there to be asked."""
    answers: list[float] = []
    is_over = Event()

    def ask() -> None:
        while not is_over.wait(0.02):
            with suppress(psycopg.OperationalError):
                answers.append(float(hub.sql(question)[0][0]))

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask)
        try:
            yield answers
        finally:
            is_over.set()
    asking.result()
