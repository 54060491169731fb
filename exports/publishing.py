"""How an announcement gets to the sockets of a user: over the channel layer, without holding up the caller."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Coroutine
from typing import Any

import structlog
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
PATIENCE = 1.0  # seconds that an announcement may take
QUIET = 2.0  # seconds without a try after one that failed: not every beat shall wait for a Redis that is away


class _Publisher:
    """One event loop a process, in a thread of its own, so that its connection to Redis is kept.

    `async_to_sync` would make a loop and a connection for each event.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quiet_until = 0.0

    def publish(self, group: str, payload: dict[str, Any]) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            self._run(_send(group, payload))
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            self._quiet_until = time.monotonic() + QUIET
            log.warning("event_not_announced", event_type=payload.get("type"), error=repr(error))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        bounded = asyncio.wait_for(work, PATIENCE)
        asyncio.run_coroutine_threadsafe(bounded, self._running()).result(PATIENCE * 2)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="events", daemon=True).start()
            return self._loop


async def _send(group: str, payload: dict[str, Any]) -> None:
    layer: Any = get_channel_layer()
    await layer.group_send(group, {"type": "export.event", "event": payload})


def publish(group: str, payload: dict[str, Any]) -> None:
    """Send a hint to the group; a failure costs at most a second or two, and is logged, not raised."""
    _publisher.publish(group, payload)


def _start_afresh() -> None:
    global _publisher
    _publisher = _Publisher()


_publisher = _Publisher()
# A forked child has no such thread: it makes its own.
os.register_at_fork(after_in_child=_start_afresh)
