"""Counts for those who run the hub: read from the rows, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Min, Sum
from django.db.models.functions import Extract, Now

from exports.models import ExportJob, Letter
from exports.states import Status


@dataclass(frozen=True)
class Statistics:
    by_status: dict[str, int]
    oldest_waiting_seconds: float
    """0 when nothing waits."""
    downloads: int
    workers_lost: int
    published_bytes: int
    stuck_cancellations: tuple[str, ...]
    """The ids of exports that were cancelled a while ago and still have a file."""
    letters_sent: int
    letters_given_up: int
    """E-mails that no mail server would take."""


def read() -> Statistics:
    jobs = ExportJob.objects.order_by()
    counted = dict(jobs.values_list("status").annotate(Count("pk")))
    sums = jobs.aggregate(Sum("download_count"), Sum("losses"), Sum("file_size"))
    waiting = jobs.filter(status=Status.PENDING).aggregate(age=Extract(Now() - Min("created_at"), "epoch"))
    return Statistics(
        by_status={status.value: counted.get(status.value, 0) for status in Status},
        oldest_waiting_seconds=float(waiting["age"] or 0),
        downloads=sums["download_count__sum"] or 0,
        workers_lost=sums["losses__sum"] or 0,
        published_bytes=sums["file_size__sum"] or 0,
        stuck_cancellations=stuck_cancellations(),
        letters_sent=Letter.objects.exclude(sent_at=None).count(),
        letters_given_up=Letter.objects.given_up().count(),
    )


def stuck_cancellations() -> tuple[str, ...]:
    return tuple(str(job_id) for job_id in ExportJob.objects.stuck().values_list("pk", flat=True))
