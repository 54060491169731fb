"""Races by construction: hold the row's lock, let all contenders queue up on it, let go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from django.db import connection, connections, models, transaction

Call = Callable[[], object]
Race = Callable[..., list[object]]
PATIENCE = 1.8  # seconds; less than the contenders' lock_timeout


@pytest.fixture
def race() -> Race:
    """Run the calls so that all of them wait for `row`'s lock before the first gets it; their outcomes."""

    def run(row: models.Model, *calls: Call) -> list[object]:
        with ThreadPoolExecutor(len(calls)) as pool:
            with transaction.atomic():
                type(row)._default_manager.select_for_update().get(pk=row.pk)
                futures = [pool.submit(outcome_of, call) for call in calls]
                until_waiting(len(calls))
            return [future.result() for future in futures]

    return run


def outcome_of(call: Call) -> object:
    """What the call returns, or the exception that it raises."""
    try:
        return call()
    except Exception as error:
        return error
    finally:
        connections.close_all()


def until_waiting(count: int) -> None:
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0] >= count:
                return
    raise TimeoutError(f"{count} contenders did not come to wait for the lock")
