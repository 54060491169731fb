from __future__ import annotations

import uuid
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from exports import events
from exports.cursor import Cursor
from exports.events import Event
from exports.models import ExportJob
from exports.states import Status

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JOB_ID = uuid.uuid4()
MORE: dict[str, dict[str, Any]] = {
    Status.PENDING: {},
    Status.PROCESSING: {"started_at": NOW},
    Status.COMPLETED: {"completed_at": NOW, "file_size": 1, "sha256": "0" * 64, "started_at": NOW},
    Status.FAILED: {"failed_at": NOW, "error": "No.", "error_code": "no", "retryable": False},
    Status.CANCELLED: {"cancelled_at": NOW, "cancel_reason": "user_cancelled"},
    Status.EXPIRED: {"expired_at": NOW},
}


def row(status: Status, version: int, **changes: Any) -> ExportJob:
    fields: dict[str, Any] = {"id": JOB_ID, "project_id": uuid.uuid4(), "user_id": 1, "changed_at": NOW}
    job = ExportJob(status=status, version=version, options={}, **fields, **MORE[status], **changes)
    job.__dict__["place"] = 1
    return job


QUEUED = events.Queued.of(row(Status.PENDING, 1))
PROGRESS = [events.Progress.of(row(Status.PROCESSING, version)) for version in (3, 4)]
_SAME = PROGRESS[0].model_dump(include=set(Event.model_fields) - {"type", "version"})
STARTED = events.Started(version=2, started_at=NOW, attempt=1, estimated_duration=None, **_SAME)
COMPLETED = events.Completed.of(row(Status.COMPLETED, 5))
DOWNLOADED = events.Downloaded.of(row(Status.COMPLETED, 6, download_count=1))
CANCELLED = events.Cancelled.of(row(Status.CANCELLED, 6))
CLEANED = events.CleanupCompleted.of(row(Status.CANCELLED, 7, cleaned_at=NOW, bytes_freed=9))


def said(told: list[Event]) -> list[tuple[str, int]]:
    return [(event.type, event.version) for event in told]


def test_an_announcement_of_the_row_as_it_is_is_passed_on() -> None:
    assert Cursor().tell(row(Status.PENDING, 1), [QUEUED]) == [QUEUED]


def test_nothing_is_told_twice() -> None:
    cursor = Cursor()
    cursor.tell(row(Status.PENDING, 1), [QUEUED])
    assert cursor.tell(row(Status.PENDING, 1), [QUEUED, QUEUED]) == []


def test_what_a_snapshot_showed_is_not_told() -> None:
    cursor = Cursor()
    cursor.show(row(Status.COMPLETED, 5))
    assert cursor.tell(row(Status.COMPLETED, 5), [COMPLETED]) == []


def test_a_burst_in_any_order_is_told_in_the_order_of_versions() -> None:
    for burst in permutations([QUEUED, STARTED, *PROGRESS, COMPLETED]):
        told = Cursor().tell(row(Status.COMPLETED, 5), burst)
        assert said(told) == [
            ("export:queued", 1), ("export:started", 2), ("export:progress", 4), ("export:completed", 5),
        ]  # fmt: skip


def test_a_late_announcement_is_dropped() -> None:
    cursor = Cursor()
    cursor.tell(row(Status.COMPLETED, 5), [COMPLETED])
    assert cursor.tell(row(Status.COMPLETED, 5), [STARTED, *PROGRESS]) == []


def test_without_any_announcement_the_row_is_told() -> None:
    assert said(Cursor().tell(row(Status.COMPLETED, 5), [])) == [("export:completed", 5)]


def test_an_announcement_from_the_future_of_the_row_is_dropped() -> None:
    assert said(Cursor().tell(row(Status.COMPLETED, 4), [COMPLETED])) == [("export:completed", 4)]


@pytest.mark.parametrize("announced", [QUEUED, STARTED, PROGRESS[0], COMPLETED, DOWNLOADED])
def test_of_a_cancelled_job_nothing_else_is_told(announced: Event) -> None:
    told = Cursor().tell(row(Status.CANCELLED, 6), [announced])
    assert said(told) == [("export:cancelled", 6)]


def test_only_the_cleanup_follows_a_cancel() -> None:
    cursor = Cursor()
    cursor.tell(row(Status.CANCELLED, 6), [CANCELLED])
    cleaned = row(Status.CANCELLED, 7, cleaned_at=NOW, bytes_freed=9)
    assert said(cursor.tell(cleaned, [COMPLETED, CANCELLED])) == [("export:cleanup:completed", 7)]


def test_a_cancel_is_told_once() -> None:
    cursor = Cursor()
    cursor.tell(row(Status.CANCELLED, 6), [CANCELLED])
    cleaned = row(Status.CANCELLED, 7, cleaned_at=NOW, bytes_freed=9)
    told = cursor.tell(cleaned, [events.Cancelled.of(cleaned)])
    assert said(told) == [("export:cleanup:completed", 7)]


def test_a_cancel_and_its_cleanup_are_both_told() -> None:
    cleaned = row(Status.CANCELLED, 7, cleaned_at=NOW, bytes_freed=9)
    assert Cursor().tell(cleaned, [CLEANED, CANCELLED]) == [CANCELLED, CLEANED]


def test_a_missed_cancel_is_told_as_cancelled_though_it_is_cleaned() -> None:
    cleaned = row(Status.CANCELLED, 7, cleaned_at=NOW, bytes_freed=9)
    [told] = Cursor().tell(cleaned, [CLEANED])
    assert isinstance(told, events.Cancelled)
    assert (told.version, told.cleanup_completed) == (7, True)


def test_a_missed_completion_is_told_before_its_download() -> None:
    told = Cursor().tell(row(Status.COMPLETED, 6, download_count=1), [DOWNLOADED])
    assert said(told) == [("export:completed", 5), ("export:downloaded", 6)]


def test_a_missed_download_is_told_to_one_who_knows_of_the_completion() -> None:
    cursor = Cursor()
    cursor.tell(row(Status.COMPLETED, 5), [COMPLETED])
    told = cursor.tell(row(Status.COMPLETED, 6, download_count=1), [])
    assert said(told) == [("export:downloaded", 6)]


@pytest.mark.parametrize("announced", [COMPLETED, CANCELLED, CLEANED, DOWNLOADED])
def test_an_end_that_the_row_does_not_bear_out_is_not_told(announced: Event) -> None:
    assert said(Cursor().tell(row(Status.PROCESSING, 9), [announced])) == [("export:progress", 9)]


def test_jobs_do_not_disturb_one_another() -> None:
    cursor = Cursor()
    cursor.show(row(Status.COMPLETED, 5))
    other = row(Status.PENDING, 1)
    other.pk = uuid.uuid4()
    assert said(cursor.tell(other, [])) == [("export:queued", 1)]
