"""The end of a run: no more faults, everything accepted comes to its end by itself, and what is left is noted."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg

from tests.chaos.course import Course, now
from tests.chaos.hub import Hub
from tests.chaos.logs import Logs

LONGEST_DRAIN_SECONDS = 120.0
LONGEST_CLEANING_SECONDS = 45.0
UNFINISHED = "SELECT count(*) FROM exports_exportjob WHERE status IN ('pending', 'processing')"
UNCLEANED = "SELECT count(*) FROM exports_exportjob WHERE cleaned_at IS NULL AND status IN ('failed', 'cancelled', 'expired')"
ROWS = "SELECT row_to_json(row) FROM {table} row ORDER BY {order}"


class Ending:
    def __init__(self, course: Course, hub: Hub, logs: Logs) -> None:
        self._course, self._hub, self._logs = course, hub, logs

    def heal(self) -> None:
        until = now() + 60
        self._hub.keep(lambda: self._hub.is_whole() or now() > until)
        self._course.note("healed", t1=now())

    def wait_until_quiet(self) -> None:
        """Nobody helps: only the workers and the scheduler end what was accepted."""
        self._wait_for_none(UNFINISHED, LONGEST_DRAIN_SECONDS)
        self._wait_for_none(UNCLEANED, LONGEST_CLEANING_SECONDS)
        more = now() + 3  # two sweeps find what nobody names
        self._hub.keep(lambda: now() > more)

    def record(self) -> None:
        rows = {"jobs": self._rows("exports_exportjob", "created_at"), "files": self._files()}
        rows["transitions"] = self._rows("exports_transition", "job_id, sequence")
        self._hub.stop_programs()
        self._logs.read()
        rows["processes"] = self._hub.leftovers()
        from django.conf import settings

        limits = {
            "max_active": settings.EXPORT_MAX_ACTIVE_PER_USER,
            "max_attempts": settings.EXPORT_MAX_ATTEMPTS,
        }
        self._course.note("final", t1=now(), **rows, **self._logs.counts, limits=limits)

    def _wait_for_none(self, question: str, seconds: float) -> None:
        until = now() + seconds
        self._hub.keep(lambda: now() > until or self._is_none(question))

    def _is_none(self, question: str) -> bool:
        try:
            with self._hub.connect() as connection:
                return connection.execute(question).fetchall()[0][0] == 0
        except psycopg.OperationalError:
            return False

    def _rows(self, table: str, order: str) -> list[dict[str, Any]]:
        with self._hub.connect() as connection:
            return [row[0] for row in connection.execute(ROWS.format(table=table, order=order)).fetchall()]

    def _files(self) -> list[dict[str, Any]]:
        found = sorted(path for path in self._hub.exports.rglob("*") if path.is_file())
        return [
            {
                "name": str(path.relative_to(self._hub.exports)),
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in found
        ]
