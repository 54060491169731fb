"""Counts of what was asked lately, in Redis: looked at within a moment, or not at all."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import structlog
from limits import RateLimitItem
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)
PATIENCE = 0.3  # seconds for each answer of Redis
SLOW = 0.5  # seconds for all that is asked in one look
PAUSE = 5.0  # seconds in which Redis is not asked after it did not answer, or answered too late


@dataclass(frozen=True)
class Count:
    """Where somebody stands after this look."""

    is_within: bool
    remaining: int
    seconds: float
    """Until there is more; at least one."""


class Counter:
    """For all threads of a process."""

    def __init__(self, url: str) -> None:
        pool = ConnectionPool.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        # The address of the pool counts; this one only says which kind of storage it is.
        storage = RedisStorage("redis://", connection_pool=pool, key_prefix="rates")
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._lock = threading.Lock()
        self._is_away = False
        self._asked_again_at = 0.0

    def look(self, limit: RateLimitItem, policy: str, who: str, cost: int = 1) -> Count | None:
        """Count `cost`, unless that were too many. None while Redis is away: then nobody counts."""
        if not self._may_ask():
            return None
        began = time.monotonic()
        try:
            is_within = not cost or self._window.hit(limit, policy, who, cost=cost)
            stats = self._window.get_window_stats(limit, policy, who)
        except (RedisError, OSError) as error:
            self._pause(repr(error))
            return None
        if time.monotonic() - began > SLOW:
            self._pause("slow")
        else:
            self._is_away = False
        return Count(is_within, stats.remaining, max(1.0, stats.reset_time - time.time()))

    def _may_ask(self) -> bool:
        """While Redis is away one request in a while finds out whether it is back; no other waits for that."""
        if not self._is_away:
            return True
        with self._lock:
            if time.monotonic() < self._asked_again_at:
                return False
            self._asked_again_at = time.monotonic() + PAUSE
            return True

    def _pause(self, fault: str) -> None:
        with self._lock:
            if not self._is_away:
                log.warning("rates_not_counted", error=fault)
            self._is_away = True
            self._asked_again_at = time.monotonic() + PAUSE


@lru_cache(maxsize=4)
def counter(url: str) -> Counter:
    """The one of this process."""
    return Counter(url)
