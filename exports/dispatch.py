"""The only code that talks to RQ. RQ is a doorbell: it carries an id to a process, and decides nothing.

Whatever Redis forgets, the sweep rings again from the rows. Nothing here may fail a caller whose
transaction has committed: `robust` hooks log, and the sweep repairs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connections, transaction
from django.utils.module_loading import import_string
from redis import Redis
from redis.exceptions import RedisError
from rq.command import send_stop_job_command
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.queue import Queue
from rq.serializers import JSONSerializer

from exports.exceptions import ExportError

log = structlog.get_logger(__name__)
QUEUE = "exports"
BUILD, CLEAN = "exports.jobs.build", "exports.jobs.clean"
CLEANING = "exports.cleaning.clean"
PATIENCE = 1  # seconds for one answer of Redis: a caller waits for it
KEEP = 600  # seconds that RQ remembers a call that is over

_cleaner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cleaner")


def ring_after_commit(job_id: UUID, dispatch: int) -> None:
    """Call a worker to build the job."""
    transaction.on_commit(lambda: _enqueue(BUILD, job_id, dispatch_id(job_id, dispatch)), robust=True)


def clean_after_commit(job_id: UUID, attempt: int) -> None:
    """Call a worker to remove what an ended job left on disk, before any other work."""
    call_id = cleaning_id(job_id, attempt)
    transaction.on_commit(lambda: _enqueue(CLEAN, job_id, call_id, at_front=True), robust=True)


def clean_here_after_commit(job_id: UUID) -> None:
    """The same, in a thread of this process: no horse has to be stopped, and the workers may be busy."""
    transaction.on_commit(lambda: _clean_here(job_id), robust=True)


def stop_after_commit(job_id: UUID, last_dispatch: int) -> None:
    """Have the process that builds the job killed; when that is lost, its next beat ends it.

    Which of the calls is running is not known: every one up to `last_dispatch` is told.
    """
    transaction.on_commit(lambda: _stop(job_id, last_dispatch), robust=True)


def dispatch_id(job_id: UUID, dispatch: int) -> str:
    return f"export-{job_id}-{dispatch}"


def cleaning_id(job_id: UUID, attempt: int) -> str:
    return f"clean-{job_id}-{attempt}"


def waiting() -> frozenset[str]:
    """The ids of the calls that RQ still holds in its queue. Raise RedisError when it cannot be asked."""
    return frozenset(_queue().job_ids)


@cache
def connection() -> Redis:
    """One pool a process, patient for a moment only; redis-py makes a new one after a fork."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def _queue() -> Queue:
    return Queue(QUEUE, connection=connection(), serializer=JSONSerializer)


def _enqueue(function: str, job_id: UUID, call_id: str, **place: Any) -> None:
    try:
        _queue().enqueue(
            function,
            args=(str(job_id),),
            job_id=call_id,
            unique=True,
            job_timeout=settings.RQ_QUEUES[QUEUE]["DEFAULT_TIMEOUT"],
            result_ttl=KEEP,
            failure_ttl=KEEP,
            **place,
        )
    except DuplicateJobError:
        log.info("already_rung", call=call_id)
    except RedisError as error:
        log.warning("bell_not_rung", call=call_id, error=repr(error))


def _clean_here(job_id: UUID) -> None:
    _cleaner.submit(_clean, job_id)


def _clean(job_id: UUID) -> None:
    """What fails here is done by the sweep."""
    try:
        import_string(CLEANING)(job_id)
    except (DatabaseFault, OSError, ExportError) as error:
        log.warning("not_cleaned", job=str(job_id), error=repr(error))
    finally:
        connections.close_all()


def _stop(job_id: UUID, last_dispatch: int) -> None:
    for dispatch in range(last_dispatch, 0, -1):
        try:
            send_stop_job_command(connection(), dispatch_id(job_id, dispatch), serializer=JSONSerializer)
        except (NoSuchJobError, InvalidJobOperation):
            continue
        except RedisError as error:
            log.warning("stop_not_sent", job=str(job_id), error=repr(error))
            return
