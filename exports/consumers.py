"""A user's stream of exports over a WebSocket: a snapshot, then events, then a tick that misses nothing.

Announcements are hints: each only has a job's row read again. One task tells everything, so that one job's
versions can only grow. Frames, codes and limits are in docs/EVENTS.md.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseFault

from exports import watchers
from exports.cursor import Cursor
from exports.inbox import Inbox
from exports.models import ExportJob
from exports.schemas import JobView
from exports.seats import Seats
from exports.watchers import Watcher
from exports.wishes import Allowance, Refused, asked

log = structlog.get_logger(__name__)
JOIN_SECONDS = 1.0  # that a snapshot waits for Redis
LEAVE_SECONDS = 2.0
RETRY_SECONDS = 1.0  # from a look that failed to the next
PAUSE_SECONDS = 0.02  # between two reads for one socket


class CloseCode:
    """Plain integers: the server takes no enumeration for one."""

    FAILED = 4500  # not 1011, which daphne's protocol refuses to send
    NOT_LOGGED_IN = 4401
    SILENT = 4408
    TOO_MANY_MESSAGES = 4429
    TOO_MANY_SOCKETS = 4430


seats = Seats()


class ExportStream(AsyncWebsocketConsumer):
    """One socket of one user."""

    # Channels would join the layer before the handshake, which then failed whenever Redis is away.
    channel_layer_alias = ""

    # With the jitter of a fifth every socket reads its versions again within 10 s.
    tick_seconds = 8.0
    sync_seconds = 1.0
    """Between two snapshots; wishes in between are answered together."""
    most_unheard = 2_000_000
    """Bytes of events for a client that says nothing: the server keeps for a stalled one what it does not read."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        structlog.contextvars.bind_contextvars(connection=uuid4().hex)
        self._watcher: Watcher | None = None
        self._seat: int | None = None
        self._cursor = Cursor()
        self._allowance = Allowance(most=1000, per_second=20)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closed = False
        self._unheard = 0
        self._owes_snapshot, self._snapshot_at = True, 0.0
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._end()

    async def connect(self) -> None:
        await self.accept()
        self._watcher = await watchers.admit(self.scope)
        if self._watcher is None:
            await self.close(CloseCode.NOT_LOGGED_IN)
            return
        if not seats.take(self._watcher.user.pk):
            await self.close(CloseCode.TOO_MANY_SOCKETS)
            return
        self._seat = self._watcher.user.pk
        structlog.contextvars.bind_contextvars(user=self._seat)
        log.info("stream_opened")
        self._inbox = Inbox(*self._watcher.groups)
        self._tasks = [asyncio.create_task(self._run(work)) for work in (self._inbox.listen(), self._serve())]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._unheard = 0
        if self._is_closed:
            return
        if not self._allowance.spend():
            await self.close(CloseCode.TOO_MANY_MESSAGES)
            return
        try:
            await self._answer(asked(text_data))
        except Refused as refusal:
            await self._say({"type": "error", "code": str(refusal)})

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        if not self._is_closed:
            self._is_closed = True
            await super().close(code, reason)

    async def _answer(self, wish: object) -> None:
        match wish:
            case "ping":
                await self._say({"type": "pong"})
            case "export:sync":
                self._inbox.want_snapshot()
            case _:
                raise Refused("unknown_type")

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """A socket whose work has ended must not stay open and silent: the client comes again."""
        try:
            await work
        finally:
            await self.close(CloseCode.FAILED)

    async def _serve(self) -> None:
        """Tell all there is to tell: in the group first, then a snapshot, then what is newer."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._inbox.joined.wait(), JOIN_SECONDS)
        self._inbox.want_snapshot()
        tick_at = self._next_tick()
        while not self._is_closed:
            await self._inbox.wait(tick_at - time.monotonic())
            try:
                if time.monotonic() >= tick_at:
                    tick_at = self._next_tick()
                    await self._look_again()
                await self._tell()
            except (DatabaseFault, OSError) as error:
                log.warning("stream_not_served", error=repr(error))
                tick_at = time.monotonic() + RETRY_SECONDS  # what was announced meanwhile may be lost
                await self._say({"type": "error", "code": "unavailable"})
            await asyncio.sleep(PAUSE_SECONDS)

    def _next_tick(self) -> float:
        return time.monotonic() + self.tick_seconds * random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # no secret

    async def _look_again(self) -> None:
        """The tick: whether the watcher may still watch, and which jobs have changed unannounced."""
        self._watcher = self._watcher and await watchers.still_there(self._watcher)
        if self._watcher is None:
            await self.close(CloseCode.NOT_LOGGED_IN)
            return
        for job_id, version in await _versions(self._watcher):
            if self._cursor.is_behind(job_id, version):
                self._inbox.put(job_id)

    async def _tell(self) -> None:
        wants_snapshot, announced = self._inbox.take()
        self._owes_snapshot |= wants_snapshot
        if self._watcher is None:
            return
        if self._owes_snapshot:
            await self._show_all(self._watcher)
            return
        for job in await _rows(self._watcher, list(announced)):
            for event in self._cursor.tell(job, announced[job.pk]):
                await self._say(event.as_json())
                if self._unheard > self.most_unheard:
                    await self.close(CloseCode.SILENT)

    async def _show_all(self, watcher: Watcher) -> None:
        await asyncio.sleep(self._snapshot_at - time.monotonic())
        jobs, views = await _snapshot(watcher)
        await self._say({"type": "export:snapshot", "jobs": views})
        self._snapshot_at, self._owes_snapshot = time.monotonic() + self.sync_seconds, False
        self._unheard = 0  # a snapshot was asked for, however big it is
        for job in jobs:
            self._cursor.show(job)

    async def _say(self, frame: dict[str, Any]) -> None:
        if not self._is_closed:
            text = json.dumps(frame)
            self._unheard += len(text)
            await self.send(text)

    async def _end(self) -> None:
        """Whatever ends the socket ends its tasks; a Redis that does not answer must not hold that up."""
        self._is_closed = True
        if self._seat is not None:
            seats.leave(self._seat)
            log.info("stream_closed")
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LEAVE_SECONDS)
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception():
                log.error("stream_failed", exc_info=task.exception())


@database_sync_to_async
def _snapshot(watcher: Watcher) -> tuple[list[ExportJob], list[dict[str, Any]]]:
    jobs = list(watcher.scope.current(watcher.user).with_queue_position())
    return jobs, [JobView.of(job).as_json() for job in jobs]


@database_sync_to_async
def _versions(watcher: Watcher) -> list[tuple[UUID, int]]:
    return list(watcher.scope.current(watcher.user).order_by().values_list("pk", "version"))


@database_sync_to_async
def _rows(watcher: Watcher, job_ids: list[UUID]) -> list[ExportJob]:
    told = watcher.scope.jobs(watcher.user).filter(pk__in=job_ids)
    return list(told.with_queue_position()) if job_ids else []
