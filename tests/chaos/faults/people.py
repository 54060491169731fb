"""Trouble that people make: calls delivered again, buttons of RQ's dashboard, curious looks."""

from __future__ import annotations

import http.client
import random
from contextlib import suppress
from uuid import uuid4

import psycopg
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.queue import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from tests.chaos.faults.site import AWAY, Site
from tests.processes import HOST

LOOKED_AT = ("/metrics", "/readyz", "/healthz", "/admin/", "/admin/exports/exportjob/", "/exports/")


def deliver_again(site: Site, chance: random.Random) -> str:
    """The calls of some jobs, ended ones among them, once more and at the same time."""
    with suppress(RedisError, psycopg.OperationalError):
        jobs = _some_jobs(site)
        function = chance.choice(("exports.jobs.build", "exports.jobs.build", "exports.jobs.clean"))
        for job in jobs * 2:
            _queue(site).enqueue(
                function, args=(job,), job_id=f"again-{uuid4()}", result_ttl=60, failure_ttl=60
            )
        return f"{function} of {len(jobs)} jobs, twice"
    return AWAY


def meddle_in_the_queue(site: Site, chance: random.Random) -> str:
    """What the buttons of RQ's dashboard do."""
    with suppress(RedisError, NoSuchJobError):
        queue = _queue(site)
        action = chance.choice(("empty", "delete", "requeue failed"))
        if action == "empty":
            queue.empty()
        elif action == "delete":
            for job in queue.jobs[:3]:
                job.delete()
        else:
            failed = FailedJobRegistry(queue=queue)
            for job_id in failed.get_job_ids()[:20]:
                failed.requeue(job_id)
        return action
    return AWAY


def look(site: Site, _chance: random.Random) -> str:
    return ", ".join(f"{path} {_status_of(site, path)}" for path in LOOKED_AT)


def _status_of(site: Site, path: str) -> int | None:
    connection = http.client.HTTPConnection(HOST, site.hub.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Cookie": site.staff_cookie})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _some_jobs(site: Site) -> list[str]:
    recent = "SELECT id::text FROM exports_exportjob ORDER BY changed_at DESC LIMIT 5"
    with site.hub.connect() as connection:
        return [row[0] for row in connection.execute(recent).fetchall()]


def _queue(site: Site) -> Queue:
    return Queue("exports", connection=site.hub.redis(), serializer=JSONSerializer)
