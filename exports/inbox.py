"""What a stream has to do next, gathered while it is busy: many announcements of a job cost one read."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from exports import events
from exports.events import Event

log = structlog.get_logger(__name__)
REJOIN_SECONDS = 1.0
MOST_ANNOUNCED = 50  # announcements of one job; beyond them its row tells enough


class Inbox:
    """Filled by `listen`, by the client's wishes and by ticks; emptied by the stream."""

    def __init__(self, *groups: str) -> None:
        self.joined = asyncio.Event()
        self._groups = groups
        # The layer forgets a channel only when its receiver is cancelled: one name, kept for all tries.
        self._channel = f"stream.{uuid.uuid4().hex}"
        self._announced: dict[UUID, list[Event]] = {}
        self._wants_snapshot = False
        self._filled = asyncio.Event()

    async def listen(self) -> None:
        """Collect announcements for ever. While Redis is away ticks have to do, and it is tried again."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._collect())
                tasks.create_task(self._join())
        finally:
            with suppress(RedisError, OSError):
                for group in self._groups:
                    await _layer().group_discard(group, self._channel)

    async def wait(self, seconds: float) -> None:
        """Until there is something to do, at most `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._filled.wait(), max(seconds, 0))

    def take(self) -> tuple[bool, dict[UUID, list[Event]]]:
        """Whether a snapshot is wanted, and what was announced of each job since the last call."""
        taken = self._wants_snapshot, self._announced
        self._wants_snapshot, self._announced = False, {}
        self._filled.clear()
        return taken

    def want_snapshot(self) -> None:
        self._wants_snapshot = True
        self._filled.set()

    def put(self, job_id: UUID, *announced: Event) -> None:
        """The job's row is to be read and told."""
        waiting = self._announced.setdefault(job_id, [])
        waiting.extend(announced)
        del waiting[:-MOST_ANNOUNCED]
        self._filled.set()

    async def _collect(self) -> None:
        while True:
            try:
                self._note(await _layer().receive(self._channel))
            except ValueError as error:
                log.warning("announcement_not_understood", error=str(error)[:300])
            except (RedisError, OSError) as error:
                log.warning("announcements_not_heard", error=repr(error))
                await asyncio.sleep(REJOIN_SECONDS)

    def _note(self, message: dict[str, Any]) -> None:
        """Raise ValueError when the message is none of ours."""
        event = events.read(message.get("event"))
        self.put(event.job_id, event)

    async def _join(self) -> None:
        """After `_collect` has made the channel known."""
        while not self.joined.is_set():
            try:
                for group in self._groups:
                    await _layer().group_add(group, self._channel)
                self.joined.set()
            except (RedisError, OSError) as error:
                log.warning("announcements_not_joined", error=repr(error))
                await asyncio.sleep(REJOIN_SECONDS)


def _layer() -> Any:
    return get_channel_layer()
