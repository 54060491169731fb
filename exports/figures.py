"""What the overview shows of the last weeks: read from the rows within bounds, changing nothing.

Days and hours are UTC, and all moments are the database's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from exports import rows
from exports.models import ExportJob
from exports.states import Status

DAYS = 30
SIZES = (1, 11, 101, 1_001, 10_001)
"""The smallest number of images of each class of size."""
RECENT = 1000  # completed exports that tell how long one takes
_STEP, _STEPS = timedelta(minutes=30), 48

# Each count is a range of one index: a third of the time that grouping all rows takes.
_OUTCOMES = """
    SELECT start, name, counted.n
    FROM unnest(%(starts)s::timestamptz[]) AS start CROSS JOIN unnest(%(statuses)s::text[]) AS name
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM exports_exportjob
        WHERE status = name AND created_at >= start AND created_at < start + interval '24 hours'
    ) AS counted
    WHERE counted.n > 0
"""

_DURATIONS = """
    SELECT width_bucket(image_count, %(sizes)s), count(*),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds)
    FROM (
        SELECT image_count, extract(epoch FROM completed_at - started_at) AS seconds FROM exports_exportjob
        WHERE completed_at IS NOT NULL AND image_count > 0 ORDER BY completed_at DESC LIMIT %(recent)s
    ) AS recent
    GROUP BY 1 ORDER BY 1
"""

# Each export counts from its creation until its claim, or until it ended without one.
_DEPTH = """
    SELECT date_bin(%(step)s, greatest(at, %(since)s) - interval '1 microsecond', %(since)s) AS after, sum(change)
    FROM exports_exportjob CROSS JOIN LATERAL (
        VALUES (created_at, 1), (coalesce(started_at, cancelled_at, failed_at), -1)
    ) AS moment (at, change)
    WHERE created_at > %(before)s AND at IS NOT NULL
    GROUP BY 1
"""


@dataclass(frozen=True)
class Duration:
    smallest: int
    """Images of the smallest export of this class."""
    exports: int
    median: float
    """Seconds, as the next."""
    percentile_95: float


@dataclass(frozen=True)
class Held:
    """Archives that can be fetched."""

    archives: int
    size: int
    by_day: dict[date, int]
    """Bytes by the day they were published, for the last DAYS."""


def clock() -> datetime:
    return rows.clock().astimezone(UTC)


def days(now: datetime) -> list[date]:
    """The last DAYS, today included."""
    return [now.date() - timedelta(days=back) for back in reversed(range(DAYS))]


def outcomes(now: datetime) -> dict[tuple[date, str], int]:
    """Exports of the last DAYS by the day they were asked for, and by what became of them so far."""
    starts = [datetime.combine(day, datetime.min.time(), UTC) for day in days(now)]
    counted = _rows(_OUTCOMES, {"starts": starts, "statuses": list(Status.values)})
    return {(start.astimezone(UTC).date(), status): count for start, status, count in counted}


def durations() -> list[Duration]:
    found = _rows(_DURATIONS, {"sizes": list(SIZES), "recent": RECENT})
    return [Duration(SIZES[size - 1], count, median, high) for size, count, median, high in found]


def depth(now: datetime) -> list[tuple[datetime, int]]:
    """How many exports waited at each half hour of the last 24 hours, now last.

    Those that were asked for more than 24 hours before that are counted only when they wait to this day.
    """
    since = now - _STEP * _STEPS
    before = since - timedelta(days=1)
    binned = _rows(_DEPTH, {"since": since, "step": _STEP, "before": before})
    changes = {round((after - since) / _STEP) + 1: int(change) for after, change in binned}
    waiting = ExportJob.objects.filter(status=Status.PENDING, created_at__lte=before).count()
    found = []
    for point in range(_STEPS + 1):
        waiting += changes.get(point, 0)
        found.append((since + point * _STEP, waiting))
    return found


def held(now: datetime) -> Held:
    completed = ExportJob.objects.order_by().filter(status=Status.COMPLETED)
    by_day = completed.values_list(TruncDate("completed_at", tzinfo=UTC)).annotate(
        n=Count("*"), size=Sum("file_size")
    )
    found = {day: (count, int(size)) for day, count, size in by_day}
    return Held(
        archives=sum(count for count, _ in found.values()),
        size=sum(size for _, size in found.values()),
        by_day={day: found.get(day, (0, 0))[1] for day in days(now)},
    )


def active() -> dict[str, int]:
    """How many wait, and how many are under way."""
    counted = dict(ExportJob.objects.order_by().active().values_list("status").annotate(n=Count("*")))
    return {status.value: counted.get(status.value, 0) for status in (Status.PENDING, Status.PROCESSING)}


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
