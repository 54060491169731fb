from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections, transaction

from exports import events, lifecycle, publishing
from exports.messages import Advance
from exports.models import ExportJob
from projects.models import Project
from tests.streams import request


@pytest.fixture
async def ear() -> AsyncIterator[Any]:
    """Joins a user's group and hears what is announced."""
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()

    async def hear(user_id: int, seconds: float = 5) -> dict[str, Any]:
        message: dict[str, Any] = await asyncio.wait_for(layer.receive(channel), seconds)
        return message

    hear.join = lambda user_id: layer.group_add(events.group_of(user_id), channel)  # type: ignore[attr-defined]
    hear.join_group = lambda group: layer.group_add(group, channel)  # type: ignore[attr-defined]
    yield hear
    await sync_to_async(connections.close_all)()
    await layer.flush()


async def test_an_event_is_announced_to_the_group_of_its_user(ear: Any, job: ExportJob) -> None:
    await ear.join(job.user_id)
    await sync_to_async(lifecycle.claim)(job.pk)
    heard = await ear(job.user_id)
    assert (heard["type"], heard["event"]["type"], heard["event"]["version"]) == (
        "export.event", "export:started", 2,
    )  # fmt: skip


@pytest.mark.parametrize("group_of", [events.group_of, events.owner_group_of])
async def test_an_export_of_somebody_elses_project_is_announced_to_both(
    ear: Any, project: Project, bob: User, bell: list[Any], group_of: Callable[[int], str]
) -> None:
    user_id = bob.pk if group_of is events.group_of else project.owner_id
    await ear.join_group(group_of(user_id))
    job = await request(project, bob)
    heard = (await ear(user_id))["event"]
    assert (heard["type"], heard["jobId"], heard["userId"]) == ("export:queued", str(job.pk), bob.pk)


async def test_an_owners_own_export_is_announced_once(job: ExportJob, held: list[str]) -> None:
    await sync_to_async(lifecycle.claim)(job.pk)
    assert held == [events.group_of(job.user_id)]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups that something would have been announced to."""
    groups: list[str] = []
    monkeypatch.setattr(events, "publish", lambda group, payload: groups.append(group))
    return groups


async def test_nothing_is_announced_before_the_commit_or_after_a_rollback(ear: Any, job: ExportJob) -> None:
    await ear.join(job.user_id)

    def roll_back() -> None:
        with transaction.atomic():
            events.announce(events.Queued, job)
            transaction.set_rollback(True)

    await sync_to_async(roll_back)()
    await sync_to_async(lifecycle.claim)(job.pk)
    assert (await ear(job.user_id))["event"]["type"] == "export:started"


async def test_a_beat_announces_progress_from_what_it_wrote(ear: Any, processing: ExportJob) -> None:
    await ear.join(processing.user_id)
    advance = Advance(40, "images", 2, 5, "Drawing")
    await sync_to_async(lifecycle.beat)(processing.pk, processing.attempt, advance)
    event = (await ear(processing.user_id))["event"]
    assert (event["type"], event["progress"], event["stageDone"]) == ("export:progress", 40.0, 2)


def test_a_lifecycle_goes_on_while_redis_is_away(job: ExportJob, redis_away: None) -> None:
    assert lifecycle.claim(job.pk).status == "processing"


def test_while_redis_is_away_only_one_announcement_is_tried(
    processing: ExportJob, redis_away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    async def fail(group: str, payload: dict[str, Any]) -> None:
        tries.append(payload["type"])
        raise ConnectionError

    monkeypatch.setattr(publishing, "_send", fail)
    for _ in range(5):
        events.announce(events.Progress, processing)
    assert tries == ["export:progress"]


def test_a_redis_that_does_not_answer_is_waited_for_a_second_only(
    processing: ExportJob, redis_away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(group: str, payload: dict[str, Any]) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(publishing, "_send", hang)
    began = time.monotonic()
    events.announce(events.Progress, processing)
    assert time.monotonic() - began < 2 * publishing.PATIENCE


@pytest.fixture
def redis_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = settings.CHANNEL_LAYERS["default"]
    away = layer | {"CONFIG": layer["CONFIG"] | {"hosts": ["unix:///nowhere/redis.sock"]}}
    settings.CHANNEL_LAYERS = {"default": away}
    monkeypatch.setattr(publishing, "_publisher", publishing._Publisher())


def test_a_forked_child_announces_through_a_loop_of_its_own() -> None:
    mine = publishing._publisher
    child = os.fork()
    if not child:
        os._exit(0 if publishing._publisher is not mine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_announced_event_is_read_as_what_it_was(processing: ExportJob) -> None:
    event = events.Progress.of(processing)
    assert events.read(event.as_json()) == event


@pytest.mark.parametrize(
    "payload", [None, [], {}, {"type": []}, {"type": "export:x"}, {"type": "export:progress"}]
)
def test_what_is_no_event_is_refused(payload: object) -> None:
    with pytest.raises(ValueError, match=r"not an event|validation error"):
        events.read(payload)


@pytest.mark.parametrize("event", events.EVENTS)
def test_every_event_and_field_is_documented(event: type[events.Event]) -> None:
    lines = Path(settings.BASE_DIR, "docs", "EVENTS.md").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(f"| `{event.model_fields['type'].default}` |")]
    own = set(event.model_fields) - set(events.Event.model_fields)
    assert [name for name in own if f"`{event.model_fields[name].alias}`" not in line] == []
