"""Every host's clock is wrong by an hour, each in its own direction: only the database's clock counts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest

from tests.faults.exporting import PROJECTS, Export, children_of, horse_of, start, start_different, until
from tests.processes import Running, start_daphne, start_worker
from tests.stack import Stack, call, stack

HOUR = 3600
LIMITS = {  # shorter than the clocks are wrong
    "EXPORT_HEARTBEAT_TIMEOUT": "8 s",
    "EXPORT_TIMEOUT": "30 min",
    "EXPORT_RETENTION": "30 min",
    "EXPORT_MAX_ACTIVE_PER_USER": "50",
}
SHIFT = "UPDATE exports_exportjob SET {} = now() - %s::interval, version = version + 1 WHERE id = %s"
TIMES = ("created_at", "rung_at", "started_at", "completed_at", "changed_at")


def clock(offset_seconds: int) -> Mapping[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.faults.skewed_settings",
        "CLOCK_OFFSET_SECONDS": str(offset_seconds),
    }


@pytest.fixture(
    scope="module",
    params=[pytest.param(HOUR, id="fast"), pytest.param(-HOUR, id="slow", marks=pytest.mark.long)],
)
def hub(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Web, scheduler and one worker are wrong in one direction, the other worker in the other."""
    with (
        stack(workers=1, environment={**LIMITS, **clock(request.param)}, projects=PROJECTS) as started,
        start_worker(started.environment | clock(-request.param)) as other,
    ):
        started.workers.append(other)
        yield started


def test_exports_complete_undisturbed(hub: Stack) -> None:
    exports = [*start_different(hub, 4), start(hub, "big")]
    for export in exports:
        export.wait_until("completed")
    wait_for_a_sweep(hub)

    assert [export.moves() for export in exports] == [["pending", "processing", "completed"]] * 5
    assert {export.column("losses") for export in exports} == {0}


def test_the_clocks_are_wrong(hub: Stack) -> None:
    for export in start_different(hub, 4, "big"):
        export.wait_until("completed")
    wait_for_a_sweep(hub)

    offset = int(hub.environment["CLOCK_OFFSET_SECONDS"]) // HOUR
    assert hours_off(hub.scheduler) == offset
    assert [hours_off(worker) for worker in hub.workers] == [offset, -offset]


@pytest.mark.parametrize("column", TIMES)
def test_the_times_of_a_row_are_the_database_s(hub: Stack, column: str) -> None:
    export = start(hub)
    export.wait_until("completed")

    assert 0 <= seconds_ago(export, column) < 60


def test_the_times_of_the_audit_are_the_database_s(hub: Stack) -> None:
    export = start(hub)
    export.wait_until("completed")

    oldest = "SELECT extract(epoch FROM now() - min(at)) FROM exports_transition WHERE job_id = %s"
    assert 0 <= hub.sql(oldest, [export.id])[0][0] < 60


def test_an_abandoned_export_is_taken_back(hub: Stack) -> None:
    export = start(hub, "big", pixelToMicrometerScale=3)
    export.wait_until_under_way()
    builder = next(worker for worker in hub.workers if children_of(worker))
    horse_of(builder).kill()

    until(lambda: export.moves()[2:] == ["pending"], "it is taken back", seconds=45)
    export.wait_until("completed")


def test_an_overlong_export_is_cancelled(hub: Stack) -> None:
    export = start(hub, "big", pixelToMicrometerScale=4)
    export.wait_until_under_way()

    hub.sql(SHIFT.format("started_at"), ["31 min", export.id])

    export.wait_until("cancelled")
    assert export.column("cancel_reason") == "timeout"


def test_an_archive_past_its_time_expires(hub: Stack) -> None:
    export = start(hub, pixelToMicrometerScale=5)
    export.wait_until("completed")

    hub.sql(SHIFT.format("expires_at"), ["1 min", export.id])

    export.wait_until("expired")


def test_a_download_link_lives_by_the_clocks_of_the_web_servers(hub: Stack) -> None:
    """One that a slow server signs is refused by a right one; one of a fast server lives longer there."""
    export = start(hub)
    export.wait_until("completed")
    with start_daphne(0, hub.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}) as right:
        link = hub.call("POST", f"{export.path}/download-token", hub.users["alice"].token).json["url"]

        assert hub.call("GET", link).status == 200
        is_fast = hub.environment["CLOCK_OFFSET_SECONDS"] == str(HOUR)
        assert call(right.url, "GET", link).status == (200 if is_fast else 404)


def wait_for_a_sweep(hub: Stack) -> None:
    """Removing orphans is the last step of a pass: the second one found the exports as they are now."""
    for _ in range(2):
        orphan = hub.data_dir / "exports" / "published" / f"{uuid.uuid4()}-1.zip"
        orphan.touch()
        until(lambda path=orphan: not path.exists(), "an orphan is removed")


def seconds_ago(export: Export, column: str) -> float:
    return float(export.column(f"extract(epoch FROM now() - {column})"))


def hours_off(program: Running) -> int:
    """By what it last wrote into its log."""
    written = json.loads(program.output.read_text().splitlines()[-1])["timestamp"]
    return round((datetime.fromisoformat(written) - datetime.now(UTC)).total_seconds() / HOUR)
