"""What the database itself says, once a second, over a connection that belongs to nobody else."""

from __future__ import annotations

import os
from typing import Any

import psycopg

from tests.chaos.course import Course, now
from tests.chaos.hub import Hub

EVERY_SECONDS = 1.0
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
IDLE = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::float8
    FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""
JOBS = "SELECT id::text, user_id, status, version FROM exports_exportjob"


class Sampler:
    def __init__(self, course: Course, hub: Hub) -> None:
        self._course, self._hub = course, hub
        self._deadlocks = self._seen_deadlocks = 0
        self._known: dict[str, tuple[str, int]] = {}

    def live(self) -> None:
        while not self._course.over.is_set():
            try:
                with self._hub.connect() as connection:
                    self._watch(connection)
            except psycopg.OperationalError:
                self._course.pause(0.2)

    def _watch(self, connection: psycopg.Connection[Any]) -> None:
        while not self._course.over.is_set():
            self._sample(connection)
            self._course.pause(EVERY_SECONDS)

    def _sample(self, connection: psycopg.Connection[Any]) -> None:
        rows = connection.execute(JOBS).fetchall()
        idle = connection.execute(IDLE).fetchall()[0][0]
        self._count_deadlocks(connection.execute(DEADLOCKS).fetchall()[0][0])
        active: dict[int, int] = {}
        for _, user, status, _ in rows:
            active[user] = active.get(user, 0) + (status in ("pending", "processing"))
        known = {job: (status, version) for job, _, status, version in rows}
        changed = {job: row for job, row in known.items() if self._known.get(job) != row}
        self._known = known
        told = {"deadlocks": self._deadlocks, "idle_in_transaction": idle, "active": active, "jobs": changed}
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        self._course.note("sample", t1=now(), **told, load=round(load, 1))

    def _count_deadlocks(self, counted: int) -> None:
        """A recovery after a crash begins to count anew."""
        self._deadlocks += max(counted - self._seen_deadlocks, 0)
        self._seen_deadlocks = counted
