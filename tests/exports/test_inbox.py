from __future__ import annotations

import time
import uuid

import pytest

from exports import events
from exports.events import Event
from exports.inbox import MOST_ANNOUNCED, Inbox

JOB_ID = uuid.uuid4()


@pytest.fixture
def box() -> Inbox:
    return Inbox("user.1")


def announcement(version: int) -> Event:
    return events.Queued.model_construct(type="export:queued", version=version, job_id=JOB_ID)


async def test_what_is_taken_is_gone(box: Inbox) -> None:
    box.put(JOB_ID, announcement(1))
    box.want_snapshot()
    assert box.take() == (True, {JOB_ID: [announcement(1)]})
    assert box.take() == (False, {})


async def test_many_announcements_of_a_job_are_taken_together(box: Inbox) -> None:
    box.put(JOB_ID, announcement(1))
    box.put(JOB_ID)
    box.put(JOB_ID, announcement(2))
    assert box.take()[1] == {JOB_ID: [announcement(1), announcement(2)]}


async def test_a_burst_takes_bounded_room_and_keeps_the_latest(box: Inbox) -> None:
    for version in range(3 * MOST_ANNOUNCED):
        box.put(JOB_ID, announcement(version))
    kept = box.take()[1][JOB_ID]
    assert (len(kept), kept[-1].version) == (MOST_ANNOUNCED, 3 * MOST_ANNOUNCED - 1)


async def test_waiting_ends_at_once_when_there_is_something_to_do(box: Inbox) -> None:
    box.put(JOB_ID)
    began = time.monotonic()
    await box.wait(30)
    assert time.monotonic() - began < 5


async def test_waiting_ends_in_time_when_there_is_nothing(box: Inbox) -> None:
    await box.wait(0.01)
    assert box.take() == (False, {})
