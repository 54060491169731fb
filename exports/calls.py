"""What RQ remembers of the calls for a job: to be looked at, never to decide by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.job import Job
from rq.serializers import JSONSerializer

from exports import dispatch
from exports.models import ExportJob

MOST = 20  # of the last calls
PATIENCE = 0.4  # seconds for each step of asking: somebody looks at a page


@dataclass(frozen=True)
class Call:
    id: str
    state: str
    """In RQ's words; empty when RQ has forgotten it."""
    worker: str
    enqueued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def times(self) -> tuple[datetime | None, ...]:
        return self.enqueued_at, self.started_at, self.ended_at


def of(job: ExportJob) -> list[Call]:
    """The newest first. Raise RedisError when Redis does not answer within a second."""
    builds = [dispatch.dispatch_id(job.pk, number) for number in _newest(job.dispatch)]
    cleanings = [dispatch.cleaning_id(job.pk, number) for number in _newest(job.attempt)]
    ids = [*cleanings, *builds]
    found = Job.fetch_many(ids, connection=_connection(), serializer=JSONSerializer)
    return [
        _call(call_id, call) for call_id, call in zip(ids, found, strict=True) if call or call_id in builds
    ]


def _newest(last: int) -> range:
    return range(last, max(0, last - MOST), -1)


def _call(call_id: str, call: Job | None) -> Call:
    if call is None:
        return Call(call_id, "", "")
    state = call.get_status(refresh=False)
    word = state.value if state else ""
    return Call(call_id, word, call.worker_name or "", call.enqueued_at, call.started_at, call.ended_at)


@cache
def _connection() -> Redis:
    """Not tried again: the page says that Redis is away."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
