from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubLoopLayer
from django.conf import settings as site
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext

from exports import consumers, events, lifecycle, wishes
from exports.consumers import ExportStream
from exports.messages import Advance
from exports.models import ExportJob
from exports.scopes import Scope
from exports.states import Status
from exports.watchers import Watcher
from projects.models import Project
from tests.jobs import request_for
from tests.streams import (
    FILE,
    Opener,
    announce,
    announce_to,
    beat,
    cancel,
    claim,
    close_code,
    complete,
    hear,
    hear_until,
    pong,
    record_cleanup,
    record_download,
    request,
)

EVENTS = Path(site.BASE_DIR, "docs", "EVENTS.md")


@pytest.mark.usefixtures("no_ticks")
async def test_what_happens_while_the_snapshot_is_read_is_told_after_it(
    open_stream: Opener, job: ExportJob, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, join = consumers._snapshot, RedisPubSubLoopLayer.group_add

    async def join_slowly(*group: Any) -> None:
        await asyncio.sleep(0.2)
        await join(*group)

    async def read_and_claim(watcher: Watcher) -> Any:
        found = await read(watcher)
        await claim(job.pk)
        return found

    monkeypatch.setattr(RedisPubSubLoopLayer, "group_add", join_slowly)
    monkeypatch.setattr(consumers, "_snapshot", read_and_claim)
    stream = await open_stream(alice)
    assert (await hear(stream))["jobs"][0]["status"] == "pending"
    assert (await hear(stream))["type"] == "export:started"


async def test_first_comes_a_snapshot_with_every_recent_job(
    open_stream: Opener, job: ExportJob, alice: User, project: Project
) -> None:
    finished = await request(project, alice, includeDocumentation=False)
    await cancel(finished.pk, "user:1")
    snapshot = await hear(await open_stream(alice))
    assert snapshot["type"] == "export:snapshot"
    shown = {shown["jobId"]: shown["status"] for shown in snapshot["jobs"]}
    assert shown == {str(job.pk): "pending", str(finished.pk): "cancelled"}


async def test_a_snapshot_leaves_out_what_ended_over_an_hour_ago(
    open_stream: Opener, cancelled: ExportJob, alice: User
) -> None:
    ended = ExportJob.objects.filter(pk=cancelled.pk)
    await ended.aupdate(changed_at="2020-01-01T00:00Z", version=cancelled.version + 1)
    assert (await hear(await open_stream(alice)))["jobs"] == []


@pytest.mark.usefixtures("no_ticks")
async def test_events_arrive_in_order_as_they_happen(
    open_stream: Opener, alice: User, project: Project, bell: list[Any]
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    job = await request(project, alice)
    heard = await hear_until(stream, "export:queued")
    await claim(job.pk)
    heard += await hear_until(stream, "export:started")
    await beat(job.pk, 1, Advance(50, "images", 1, 2, ""))
    heard += await hear_until(stream, "export:progress")
    await complete(job.pk, 1, FILE, [])
    heard += await hear_until(stream, "export:completed")
    await record_download(job.pk, "user:1")
    heard += await hear_until(stream, "export:downloaded")
    kinds = ("queued", "started", "progress", "completed", "downloaded")
    assert heard == [f"export:{kind}" for kind in kinds]


@pytest.mark.usefixtures("no_ticks")
async def test_a_late_or_repeated_announcement_is_not_sent(
    open_stream: Opener, processing: ExportJob, alice: User
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    old = await sync_to_async(events.Started.of)(processing)
    await beat(processing.pk, 1, Advance(50, "images", 1, 2, ""))
    newer = await hear(stream)
    await announce(alice, old)
    await announce(alice, events.read(newer))
    await beat(processing.pk, 1, Advance(60, "images", 1, 2, ""))
    assert (await hear(stream))["version"] == newer["version"] + 1


@pytest.mark.usefixtures("no_ticks")
async def test_a_forged_completion_of_a_cancelled_job_is_never_sent(
    open_stream: Opener, processing: ExportJob, alice: User
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    await cancel(processing.pk, "user:1")
    assert (await hear(stream))["type"] == "export:cancelled"
    done = ExportJob(
        pk=processing.pk, project_id=processing.project_id, user_id=processing.user_id, version=99,
        status=Status.COMPLETED, completed_at=processing.started_at, file_size=1, sha256="0",
        changed_at=processing.started_at,
    )  # fmt: skip
    await announce(alice, events.Completed.of(done))
    await record_cleanup(processing.pk, 5)
    assert (await hear(stream))["type"] == "export:cleanup:completed"


async def test_only_own_jobs_are_told(
    open_stream: Opener, job: ExportJob, alice: User, bob: User, mallory: User
) -> None:
    owner, member, stranger = [await open_stream(user) for user in (alice, bob, mallory)]
    assert [len((await hear(stream))["jobs"]) for stream in (owner, member, stranger)] == [1, 0, 0]
    await claim(job.pk)
    assert (await hear(owner))["type"] == "export:started"
    for stream in (member, stranger):
        await pong(stream)


@pytest.mark.usefixtures("no_ticks")
async def test_the_owner_is_told_at_once_of_everybodys_exports_of_the_project_when_asked_to(
    open_stream: Opener, alice: User, bob: User, project: Project, bell: list[Any]
) -> None:
    owner = await open_stream(alice, "?scope=visible")
    assert (await hear(owner))["jobs"] == []
    job = await request(project, bob)
    await claim(job.pk)
    assert await hear_until(owner, "export:started") == ["export:queued", "export:started"]
    await owner.send_json_to({"type": "export:sync"})
    assert [shown["userId"] for shown in (await hear(owner))["jobs"]] == [bob.pk]


@pytest.mark.usefixtures("no_ticks")
async def test_the_owner_is_not_told_of_them_unless_asked_to(
    open_stream: Opener, alice: User, bob: User, project: Project, bell: list[Any]
) -> None:
    streams = [await open_stream(alice), await open_stream(alice, "?scope=everything")]
    assert [(await hear(stream))["jobs"] for stream in streams] == [[], []]
    job = await request(project, bob)
    await announce(alice, await sync_to_async(events.Queued.of)(job))
    for stream in streams:
        assert await stream.receive_nothing(timeout=0.3)
        await pong(stream)


async def test_who_does_not_own_the_project_sees_their_own_exports_whatever_they_ask_for(
    open_stream: Opener, job: ExportJob, bob: User, mallory: User, fast_ticks: None
) -> None:
    streams = [await open_stream(user, "?scope=visible") for user in (bob, mallory)]
    assert [(await hear(stream))["jobs"] for stream in streams] == [[], []]
    await claim(job.pk)
    for stream in streams:
        assert await stream.receive_nothing(timeout=0.3)
        await pong(stream)


async def test_an_owner_who_gave_the_project_away_is_told_nothing_more(
    open_stream: Opener, alice: User, bob: User, mallory: User, project: Project, bell: list[Any]
) -> None:
    job = await request(project, bob)
    former = await open_stream(alice, "?scope=visible")
    await hear(former)
    await Project.objects.filter(pk=project.pk).aupdate(owner=mallory)
    await claim(job.pk)
    await announce_to(events.owner_group_of(alice.pk), await sync_to_async(events.Queued.of)(job))
    assert await former.receive_nothing(timeout=0.3)
    await pong(former)


@pytest.mark.usefixtures("no_ticks")
async def test_an_announcement_of_a_foreign_job_is_not_sent(
    open_stream: Opener, processing: ExportJob, bob: User
) -> None:
    stream = await open_stream(bob)
    await hear(stream)
    await announce(bob, events.Progress.of(processing))
    assert await stream.receive_nothing(timeout=0.3)
    await pong(stream)


async def test_a_flood_of_messages_closes_the_socket(open_stream: Opener, alice: User) -> None:
    stream = await open_stream(alice)
    for _ in range(1100):
        await stream.send_json_to({"type": "ping"})
    assert await close_code(stream) == 4429


async def test_a_client_that_never_speaks_is_closed_in_the_end(
    open_stream: Opener, processing: ExportJob, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExportStream, "most_unheard", 100)
    stream = await open_stream(alice)
    await hear(stream)
    await beat(processing.pk, 1, Advance(50, "images", 1, 2, ""))
    assert await close_code(stream) == 4408


async def test_sync_is_answered_with_a_fresh_snapshot(
    open_stream: Opener, job: ExportJob, alice: User, no_announcements: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExportStream, "sync_seconds", 0.0)
    stream = await open_stream(alice)
    await hear(stream)
    await claim(job.pk)
    await stream.send_json_to({"type": "export:sync"})
    assert (await hear(stream))["jobs"][0]["status"] == "processing"


async def test_many_syncs_are_answered_together(open_stream: Opener, alice: User) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    for _ in range(100):
        await stream.send_json_to({"type": "export:sync"})
    assert (await hear(stream))["type"] == "export:snapshot"
    await pong(stream)


@pytest.mark.usefixtures("no_ticks")
async def test_many_announcements_cost_one_read(
    open_stream: Opener,
    processing: ExportJob,
    alice: User,
    no_announcements: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    reads: list[int] = []
    read = consumers._rows
    monkeypatch.setattr(consumers, "_rows", lambda who, ids: reads.append(len(ids)) or read(who, ids))
    await beat(processing.pk, 1, Advance(50, "images", 1, 2, ""))
    fresh = await ExportJob.objects.aget(pk=processing.pk)
    for _ in range(50):
        await announce(alice, events.Progress.of(fresh))
    assert (await hear(stream))["version"] == fresh.version
    await pong(stream)
    assert len(reads) <= 10


@pytest.mark.parametrize("scope", Scope)
def test_an_event_costs_one_query(processing: ExportJob, alice: User, scope: Scope) -> None:
    with CaptureQueriesContext(connections["default"]) as queries:
        rows = consumers._rows.func(watcher(alice, scope), [processing.pk])
        events.current(rows[0])
    assert len(queries) == 1


@pytest.mark.parametrize(("scope", "shown"), [(Scope.OWN, 2), (Scope.VISIBLE, 3)])
def test_a_snapshot_costs_one_query_however_many_jobs(
    job: ExportJob, alice: User, bob: User, project: Project, scope: Scope, shown: int
) -> None:
    lifecycle.request(request_for(project, alice, includeDocumentation=False))
    lifecycle.request(request_for(project, bob))
    with CaptureQueriesContext(connections["default"]) as queries:
        assert len(consumers._snapshot.func(watcher(alice, scope))[1]) == shown
    assert len(queries) == 1


def watcher(user: User, scope: Scope) -> Watcher:
    return Watcher(user, None, None, "", 0.0, scope)


async def test_a_tick_tells_what_was_never_announced(
    open_stream: Opener, job: ExportJob, alice: User, fast_ticks: None, no_announcements: None
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    await claim(job.pk)
    assert (await hear(stream))["type"] == "export:progress"
    await cancel(job.pk, "user:1")
    assert (await hear(stream))["type"] == "export:cancelled"
    await record_cleanup(job.pk, 5)
    assert (await hear(stream))["type"] == "export:cleanup:completed"


@pytest.mark.usefixtures("no_ticks")
async def test_an_announcement_that_is_none_is_passed_over(
    open_stream: Opener, job: ExportJob, alice: User
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    layer: Any = get_channel_layer()
    await layer.group_send(events.group_of(job.user_id), {"type": "export.event", "event": {"type": "?"}})
    await claim(job.pk)
    assert (await hear(stream))["type"] == "export:started"


def test_every_close_code_is_documented() -> None:
    codes = {value for value in vars(consumers.CloseCode).values() if isinstance(value, int)}
    assert codes == {int(code) for code in re.findall(r"^\| (\d{4}) \|", EVENTS.read_text(), re.MULTILINE)}


def test_every_error_code_is_documented() -> None:
    source = Path(consumers.__file__).read_text() + Path(wishes.__file__).read_text()
    codes = re.findall(r'Refused\("(\w+)"\)|"code": "(\w+)"', source)
    assert len(codes) >= 5
    assert [
        code for pair in codes for code in pair if code and f"\n| `{code}` | " not in EVENTS.read_text()
    ] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "malformed"), ("[]", "malformed"), ("[" * 4000, "malformed"),
        ("1" * 4090, "malformed"), ('"ping"', "malformed"), ("{}", "unknown_type"),
        ('{"type": ["ping"]}', "unknown_type"), ('{"type": "export:cancel"}', "unknown_type"),
        ('{"type": "' + "x" * 5000 + '"}', "too_large"),
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_answered_with_an_error(
    open_stream: Opener, alice: User, text: str, code: str
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    await stream.send_to(text_data=text)
    assert await hear(stream) == {"type": "error", "code": code}
    await pong(stream)


async def test_binary_is_answered_with_an_error(open_stream: Opener, alice: User) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    await stream.send_to(bytes_data=b"\xff\x00")
    assert await hear(stream) == {"type": "error", "code": "binary_not_supported"}
    await pong(stream)
