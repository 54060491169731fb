"""The workers, as RQ knows them. Only reads: RQ's own list of workers removes what it does not find."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from redis.exceptions import RedisError
from rq import Worker
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE
from rq.utils import utcparse

from exports import dispatch

MOST = 500  # workers that are looked at
_CALL = re.compile(r"(?:export|clean)-(?P<job>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+:.*")


@dataclass(frozen=True)
class Hand:
    """One worker."""

    name: str
    state: str
    """RQ's word: idle, busy, suspended, …"""
    since: datetime
    job_id: UUID | None
    """The export that it works for."""


def alive() -> tuple[Hand, ...] | None:
    """By name; None when Redis does not answer. RQ lets the entry of a silent worker expire."""
    redis = dispatch.connection()
    try:
        keys = sorted(cast("set[bytes]", redis.smembers(Worker.redis_workers_keys)))[:MOST]
        names = [key.decode().removeprefix(Worker.redis_worker_namespace_prefix) for key in keys]
        entries = redis.pipeline(transaction=False)
        for key, name in zip(keys, names, strict=True):
            entries.hmget(key, "birth", "state")
            entries.srandmember(WORKER_EXECUTIONS_KEY_TEMPLATE.format(name))
        answers = iter(entries.execute())
    except RedisError:
        return None
    found = zip(names, answers, answers, strict=True)
    return tuple(_hand(name, born, state, call) for name, (born, state), call in found if born)


def _hand(name: str, born: bytes, state: bytes | None, call: bytes | None) -> Hand:
    job = _CALL.fullmatch((call or b"").decode())
    job_id = UUID(job["job"]) if job else None
    return Hand(name, (state or b"?").decode(), utcparse(born.decode()), job_id)
