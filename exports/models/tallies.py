"""What happened to all exports so far, counted once: the audit of years is too long to be counted for each look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import F
from django.db.models.functions import Now

SETTLED_AFTER = timedelta(minutes=5)
"""By then every transaction that began before is over, so that no audit row with a lower number comes to be."""
BATCH = 100_000  # audit rows a pass
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Seconds; a move that took as long as BOUNDS[n - 1], and less than BOUNDS[n], is in bucket n."""
WITHOUT_TIME = -1


class Tally(models.Model):
    """How often one move was made for one reason, by how long it took."""

    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    reason = models.CharField(max_length=40)
    bucket = models.SmallIntegerField()
    count = models.PositiveBigIntegerField()
    seconds = models.FloatField()
    """The sum of all."""

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                name="tally_once", fields=["from_status", "to_status", "reason", "bucket"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} from {self.from_status or 'nothing'} to {self.to_status}: {self.reason}"


class Rollup(models.Model):
    """One row: how far the audit has been counted, and what sweeps have removed."""

    up_to = models.BigIntegerField(default=0)
    """The last audit row in the tallies."""
    swept_at = models.DateTimeField(null=True)
    orphans_removed = models.PositiveBigIntegerField(default=0)
    orphan_bytes = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Counted up to {self.up_to}"


# Of the audit rows after `after`, or after those in the tallies: how many of each move there are, by how long it took:
# from the request to the first claim, from the claim to an end, from a cancel until nothing is left. Subqueries, not
# a join: however many jobs there are, only those of these rows are looked up.
_COUNTED = """
    SELECT from_status, to_status, reason, coalesce(width_bucket(took, %(bounds)s::float8[]), -1) AS bucket,
        count(*) AS count, coalesce(sum(took), 0) AS seconds
    FROM (
        SELECT from_status, to_status, reason, extract(epoch FROM at - CASE
            WHEN from_status = 'pending' AND to_status = 'processing' AND attempt = 1 THEN
                (SELECT created_at FROM exports_exportjob WHERE id = job_id)
            WHEN from_status = 'processing' AND to_status IN ('completed', 'failed', 'cancelled') THEN
                (SELECT started_at FROM exports_exportjob WHERE id = job_id)
            WHEN to_status = 'cancelled' AND reason = 'cleaned' THEN
                (SELECT cancelled_at FROM exports_exportjob WHERE id = job_id)
            END)::float8 AS took
        FROM (
            SELECT * FROM exports_transition
            WHERE id > coalesce(%(after)s, (SELECT up_to FROM exports_rollup WHERE id = 1), 0)
            ORDER BY id LIMIT %(batch)s
        ) AS next
        WHERE id <= %(up_to)s
    ) AS moves
    GROUP BY 1, 2, 3, 4
"""
_LAST_SETTLED = """
    WITH next AS (SELECT id, at FROM exports_transition WHERE id > %(after)s ORDER BY id LIMIT %(batch)s)
    SELECT max(id) FROM next
    WHERE id < coalesce((SELECT min(id) FROM next WHERE at > clock_timestamp() - %(settled)s), %(up_to)s)
"""
_ADD = "".join(
    (
        "INSERT INTO exports_tally (from_status, to_status, reason, bucket, count, seconds)",
        _COUNTED,
        "ON CONFLICT (from_status, to_status, reason, bucket) DO UPDATE SET",
        " count = exports_tally.count + excluded.count, seconds = exports_tally.seconds + excluded.seconds",
    )
)
# One statement, so that the tallies and what is not in them yet are of one moment.
_ALL = "".join(
    (
        "SELECT from_status, to_status, reason, bucket, sum(count)::bigint, sum(seconds) FROM (",
        "SELECT from_status, to_status, reason, bucket, count, seconds FROM exports_tally UNION ALL",
        _COUNTED,
        ") AS counted GROUP BY 1, 2, 3, 4",
    )
)
_LARGEST = 2**63 - 1


@transaction.atomic
def add_up() -> None:
    """Count what has settled since the last time, and note that a sweep was made. Two at once follow one another."""
    after = _locked().up_to
    asked: dict[str, Any] = {"after": after, "batch": BATCH, "bounds": list(BOUNDS), "up_to": _LARGEST}
    asked["settled"] = SETTLED_AFTER
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SETTLED, asked)
        up_to = cursor.fetchone()[0] or after
        if up_to > after:
            cursor.execute(_ADD, {**asked, "up_to": up_to})
    Rollup.objects.filter(pk=1).update(up_to=up_to, swept_at=Now())


@transaction.atomic
def note_orphans(removed: int, freed: int) -> None:
    """Files that no row named, and their bytes."""
    _locked()
    Rollup.objects.filter(pk=1).update(
        orphans_removed=F("orphans_removed") + removed, orphan_bytes=F("orphan_bytes") + freed
    )


def counted() -> list[Tally]:
    """All moves there ever were, those of this moment too; not rows of the table.

    While a long audit is being counted for the first time, the newest are missing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ALL, {"after": None, "batch": BATCH, "bounds": list(BOUNDS), "up_to": _LARGEST})
        names = ("from_status", "to_status", "reason", "bucket", "count", "seconds")
        return [Tally(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _locked() -> Rollup:
    Rollup.objects.bulk_create([Rollup(pk=1)], ignore_conflicts=True)
    return Rollup.objects.select_for_update().get(pk=1)
