"""Every named point at which a process can die: whatever it had begun is finished, or never happened.

First all the victims die, each at its point; then a worker and the scheduler come, and nobody helps them.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY

import pytest

from exports.crashpoints import MOMENTS, POINTS
from tests.faults.crashing import DAMAGED, WHOLE, Wreck, crash
from tests.faults.exporting import Export, ask_to_start, files
from tests.processes import start_daphne, start_scheduler, start_worker
from tests.stack import Stack, stack
from tests.waiting import until

PATIENCE = 120  # seconds after the faults, of which ten pass before a lost call is made again


def moves(*statuses: str) -> tuple[str, ...]:
    return tuple(f"{status}.{moment}" for status in statuses for moment in MOMENTS)


TOLD_ONLY = ("pending.committed", "pending.told")
REMOVED = ("files.removed",)
BUILDING = tuple(point for point in POINTS if point.startswith(("staging.", "archive.")))


@dataclass(frozen=True)
class Story:
    """How its export ends when the process had only recorded what it was doing, and when it had committed."""

    name: str
    points: tuple[str, ...]
    if_recorded: str | None
    if_committed: str


STORIES = (
    Story("web takes a request", moves("pending"), None, "completed"),
    Story("web cancels a waiting one", moves("cancelled"), "completed", "cancelled"),
    Story("web cancels one under way", moves("cancelled"), "completed", "cancelled"),
    Story("web cancels a completed one", moves("cancelled") + REMOVED, "completed", "cancelled"),
    Story("web refuses a cancel", moves("completed"), "completed", "completed"),
    Story("web accepts a download", moves("completed"), "completed", "completed"),
    Story("web refuses a download", moves("cancelled"), "cancelled", "cancelled"),
    Story("web grants the automatic download", moves("completed"), "completed", "completed"),
    Story("web deletes", moves("expired") + REMOVED, "completed", "expired"),
    Story("worker builds", moves("processing", "completed") + BUILDING, "completed", "completed"),
    Story("worker cannot build", moves("failed"), "failed", "failed"),
    Story("worker gives back", moves("pending"), "completed", "completed"),
    Story("worker cleans", moves("cancelled") + REMOVED, "cancelled", "cancelled"),
    Story("scheduler rings again", TOLD_ONLY, "completed", "completed"),
    Story("scheduler requeues", moves("pending"), "completed", "completed"),
    Story("scheduler requeues no more", moves("failed"), "failed", "failed"),
    Story("scheduler times out", moves("cancelled"), "cancelled", "cancelled"),
    Story("scheduler expires", moves("expired") + REMOVED, "expired", "expired"),
    Story("scheduler withdraws", moves("cancelled"), "cancelled", "cancelled"),
)
FORKED = {(story.name, point): story for story in STORIES for point in story.points}
"""In a process that was forked for it."""

HORSE = "horse of a real worker:archive.named"
REAL_SCHEDULER = "real scheduler:pending.committed"
REAL_WEB = "real web server:cancelled.committed", "real web server:cancelled.told"
"""The program itself, started with EXPORT_CRASH_AT."""

ENDS: dict[str, str | None] = {HORSE: "completed", REAL_SCHEDULER: "completed"}
ENDS |= dict.fromkeys(REAL_WEB, "cancelled")
ENDS |= {
    f"{name}:{point}": story.if_recorded if point.endswith(".recorded") else story.if_committed
    for (name, point), story in FORKED.items()
}
every_case = pytest.mark.parametrize("case", ENDS)


@dataclass(frozen=True)
class Aftermath:
    """What is left after the faults, and `seconds` of nobody's help."""

    hub: Stack
    wrecks: dict[str, Wreck]
    seconds: float

    def export(self, case: str) -> Export | None:
        key = self.wrecks[case].key
        found = self.hub.sql("SELECT id::text FROM exports_exportjob WHERE idempotency_key = %s", [key])
        return Export(self.hub, f"{self.hub.exports(WHOLE)}/{found[0][0]}", found[0][0]) if found else None

    def completed(self) -> list[str]:
        """The names of the files that there should be."""
        rows = self.hub.sql("SELECT file_name FROM exports_exportjob WHERE status = 'completed'")
        return sorted(name for (name,) in rows)


@pytest.fixture(scope="module")
def aftermath() -> Iterator[Aftermath]:
    changes = {"EXPORT_HEARTBEAT_TIMEOUT": "2 s", "EXPORT_MAX_ACTIVE_PER_USER": "200"}
    sizes = {name: {"images": 1, "size": 64, "polygons": 3} for name in (WHOLE, DAMAGED)}
    with stack(workers=0, environment=changes, projects=sizes) as hub:
        hub.scheduler.kill()
        lose_the_images(hub, DAMAGED)
        wrecks = {HORSE: kill_a_horse(hub), REAL_SCHEDULER: kill_a_scheduler(hub)}
        wrecks |= {case: kill_a_web_server(hub, case) for case in REAL_WEB}
        forked = crash(hub, list(FORKED))
        wrecks |= {f"{name}:{point}": wreck for (name, point), wreck in zip(FORKED, forked, strict=True)}
        hub.scheduler.start()
        with start_worker(hub.environment):
            yield Aftermath(hub, wrecks, until(lambda: is_quiet(hub), 2 * PATIENCE))


def test_there_is_a_story_for_every_point() -> None:
    assert {point for _, point in FORKED} == set(POINTS)


@every_case
def test_the_point_is_reached(aftermath: Aftermath, case: str) -> None:
    assert aftermath.wrecks[case].signal == signal.SIGKILL


@every_case
def test_the_export_ends_as_it_was_committed(aftermath: Aftermath, case: str) -> None:
    export = aftermath.export(case)

    assert (export and export.status) == ENDS[case]


@every_case
def test_the_audit_replays_to_the_row(aftermath: Aftermath, case: str) -> None:
    export = aftermath.export(case)
    rows = audit_of(export) if export else []

    assert [number for number, *_ in rows] == list(range(1, len(rows) + 1))
    assert [source for _, source, *_ in rows] == ["", *[target for _, _, target, _ in rows[:-1]]][: len(rows)]
    if export:
        assert rows[-1] == (export.column("sequence"), ANY, export.status, export.column("attempt"))


@every_case
def test_a_completed_file_is_whole(aftermath: Aftermath, case: str) -> None:
    export = aftermath.export(case)

    assert export is None or export.status != "completed" or export.is_whole()


@every_case
def test_what_was_answered_is_kept(aftermath: Aftermath, case: str) -> None:
    """Only the removal of files comes after an answer, or at the same time."""
    answers = (None, 200, 204) if case.endswith("files.removed") else (None,)

    assert aftermath.wrecks[case].answer in answers


def test_everything_ends_soon_with_nobodys_help(aftermath: Aftermath) -> None:
    print(f"{len(ENDS)} crashes, quiet after {aftermath.seconds:.1f} s")
    assert aftermath.seconds < PATIENCE


def test_there_are_the_files_of_completed_exports_and_no_others(aftermath: Aftermath) -> None:
    until(lambda: files(aftermath.hub) == aftermath.completed())


def kill_a_horse(hub: Stack) -> Wreck:
    """Its worker lives; the job is left as it was."""
    key = ask_to_start_as(hub, HORSE)
    with start_worker(crashing_at(hub, HORSE)) as worker:
        until(lambda: "waitpid returned 9" in worker.output.read_text())
    return Wreck(signal.SIGKILL, key)


def kill_a_scheduler(hub: Stack) -> Wreck:
    """While it requeues what the horse left."""
    with start_scheduler(crashing_at(hub, REAL_SCHEDULER)) as scheduler:
        return Wreck(-scheduler.process.wait(PATIENCE), HORSE.replace(" ", "-"))


def kill_a_web_server(hub: Stack, case: str) -> Wreck:
    key = ask_to_start_as(hub, case)
    [(job_id,)] = hub.sql("SELECT id::text FROM exports_exportjob WHERE idempotency_key = %s", [key])
    with start_daphne(0, crashing_at(hub, case)) as web:
        answer = Export(hub, f"{hub.exports(WHOLE)}/{job_id}", job_id).cancel(web.url)
        return Wreck(-web.process.wait(PATIENCE), key, answer.status)


def crashing_at(hub: Stack, case: str) -> dict[str, str]:
    return hub.environment | {"EXPORT_CRASH_AT": case.partition(":")[2], "DEBUG": "true"}


def ask_to_start_as(hub: Stack, case: str) -> str:
    """The key of a request for an export unlike the others."""
    key, scale = case.replace(" ", "-"), 500 + list(ENDS).index(case)
    assert ask_to_start(hub, WHOLE, key=key, pixelToMicrometerScale=scale).status == 202
    return key


def lose_the_images(hub: Stack, project: str) -> None:
    rows = hub.sql("SELECT file FROM projects_image WHERE project_id = %s", [hub.projects[project]])
    for (name,) in rows:
        (hub.data_dir / "media" / name).unlink()


def audit_of(export: Export) -> list[tuple[Any, ...]]:
    columns = "sequence, from_status, to_status, attempt"
    statement = f"SELECT {columns} FROM exports_transition WHERE job_id = %s ORDER BY sequence"
    return export.hub.sql(statement, [export.id])


def is_quiet(hub: Stack) -> bool:
    unfinished = "status IN ('pending', 'processing') OR status <> 'completed' AND cleaned_at IS NULL"
    return hub.sql(f"SELECT count(*) FROM exports_exportjob WHERE {unfinished}") == [(0,)]
