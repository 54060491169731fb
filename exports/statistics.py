"""Counts for those who run the hub: read from the rows, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Min, Sum
from django.db.models.functions import Extract, Now

from exports.models import ExportJob
from exports.states import Status

STUCK_AFTER = timedelta(minutes=1)  # a cancelled export should have left nothing behind by then


@dataclass(frozen=True)
class Statistics:
    by_status: dict[str, int]
    oldest_waiting_seconds: float
    """0 when nothing waits."""
    downloads: int
    workers_lost: int
    published_bytes: int
    stuck_cancellations: int
    """Cancelled longer than STUCK_AFTER ago, and not all of its files seen to be gone."""


def read() -> Statistics:
    jobs = ExportJob.objects.order_by()
    counted = dict(jobs.values_list("status").annotate(Count("pk")))
    sums = jobs.aggregate(Sum("download_count"), Sum("losses"), Sum("file_size"))
    waiting = jobs.filter(status=Status.PENDING).aggregate(age=Extract(Now() - Min("created_at"), "epoch"))
    stuck = jobs.uncleaned().filter(status=Status.CANCELLED, cancelled_at__lt=Now() - STUCK_AFTER)
    return Statistics(
        by_status={status.value: counted.get(status.value, 0) for status in Status},
        oldest_waiting_seconds=float(waiting["age"] or 0),
        downloads=sums["download_count__sum"] or 0,
        workers_lost=sums["losses__sum"] or 0,
        published_bytes=sums["file_size__sum"] or 0,
        stuck_cancellations=stuck.count(),
    )
