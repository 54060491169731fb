from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from exports import consumers, publishing
from exports.models import ExportJob
from tests.streams import (
    Opener,
    cancel,
    claim,
    close_code,
    hear,
    hear_until,
)


async def test_without_redis_a_tick_tells(
    open_stream: Opener,
    job: ExportJob,
    alice: User,
    fast_ticks: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = {"hosts": ["unix:///nowhere/redis.sock"]}
    settings.CHANNEL_LAYERS = {"default": settings.CHANNEL_LAYERS["default"] | {"CONFIG": away}}
    monkeypatch.setattr(publishing, "_publisher", publishing._Publisher())
    stream = await open_stream(alice)
    assert (await hear(stream))["type"] == "export:snapshot"
    await cancel(job.pk, "user:1")
    assert (await hear(stream))["type"] == "export:cancelled"


async def test_a_database_that_fails_does_not_close_the_socket(
    open_stream: Opener,
    job: ExportJob,
    alice: User,
    fast_ticks: None,
    no_announcements: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = await open_stream(alice)
    await hear(stream)

    async def fail(*_: object) -> None:
        raise OperationalError("the database system is shutting down")

    with monkeypatch.context() as broken:
        broken.setattr(consumers, "_rows", fail)
        await claim(job.pk)
        assert await hear(stream) == {"type": "error", "code": "unavailable"}
    assert "export:progress" in await hear_until(stream, "export:progress")


async def test_a_snapshot_that_failed_is_shown_when_the_database_is_back(
    open_stream: Opener, job: ExportJob, alice: User, fast_ticks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OperationalError("the database system is starting up")

    with monkeypatch.context() as broken:
        broken.setattr(consumers, "_snapshot", fail)
        stream = await open_stream(alice)
        assert await hear(stream) == {"type": "error", "code": "unavailable"}
    assert (await hear_until(stream, "export:snapshot"))[-1] == "export:snapshot"


async def test_an_unforeseen_error_closes_the_socket_so_that_the_client_comes_again(
    open_stream: Opener, job: ExportJob, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(consumers, "_snapshot", fail)
    assert await close_code(await open_stream(alice)) == 4500
