"""Counts for those who run the hub: read from the rows, changing nothing, and quick however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Extract, Now

from exports import dispatch
from exports.models import ExportJob, Letter, Rollup, Tally
from exports.models.letters import MAX_TRIES
from exports.models.tallies import BOUNDS, WITHOUT_TIME, counted
from exports.states import Status

FORGOTTEN_AFTER = timedelta(minutes=1)  # the sweep rings again long before
MOST_WAITING = 1000  # that are compared with what RQ holds


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
    moves, sent = history(), letters()
    return Statistics(
        by_status=moves.by_status(),
        oldest_waiting_seconds=queue().oldest_seconds,
        downloads=moves.count(reason="downloaded"),
        workers_lost=moves.count(reason="worker_lost"),
        published_bytes=published_bytes(),
        stuck_cancellations=stuck_cancellations(),
        letters_sent=sent.sent,
        letters_given_up=sent.given_up,
    )


class History:
    """Every move that was ever made; what is counted here only grows."""

    def __init__(self, tallies: list[Tally]) -> None:
        self._tallies = tallies

    def by_status(self) -> dict[str, int]:
        """How many exports are in each state now: what came into it without what left it."""
        counts = dict.fromkeys(Status.values, 0)
        for each in self._tallies:
            if each.from_status != each.to_status:
                counts[each.to_status] += each.count
                if each.from_status:
                    counts[each.from_status] -= each.count
        return counts

    def count(self, **of: str) -> int:
        """Of moves with these values, such as `to_status="failed"`."""
        return sum(each.count for each in self._which(**of))

    def by_reason(self, **of: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for each in self._which(**of):
            counts[each.reason] += each.count
        return counts

    def times(self, **of: str) -> Times:
        """How long these moves took."""
        buckets, seconds = [0] * (len(BOUNDS) + 1), 0.0
        for each in self._which(**of):
            if each.bucket != WITHOUT_TIME:
                buckets[each.bucket] += each.count
                seconds += each.seconds
        return Times(tuple(buckets), seconds)

    def _which(self, **of: str) -> Iterator[Tally]:
        return (t for t in self._tallies if all(getattr(t, name) == value for name, value in of.items()))


@dataclass(frozen=True)
class Times:
    buckets: tuple[int, ...]
    """How many took less than each of BOUNDS, and not less than the one before; the last: longer than all."""
    seconds: float
    """Of all together."""

    def cumulated(self) -> list[tuple[float, int]]:
        """The bound in seconds, and how many took no longer."""
        reached, found = 0, []
        for bound, count in zip((*BOUNDS, float("inf")), self.buckets, strict=True):
            reached += count
            found.append((bound, reached))
        return found


def history() -> History:
    return History(counted())


@dataclass(frozen=True)
class Queue:
    waiting: int
    oldest_seconds: float
    """Since the request of the one that waits longest; 0 when nothing waits."""
    under_way: int
    abandoned: int
    """Under way, but not heard of for longer than EXPORT_HEARTBEAT_TIMEOUT."""
    overlong: int
    """Under way for longer than EXPORT_TIMEOUT."""


def queue() -> Queue:
    """By an index that holds nothing but active exports."""
    active = ExportJob.objects.order_by().active()
    now = active.aggregate(
        waiting=Count("pk", filter=Q(status=Status.PENDING)),
        oldest=Extract(Now() - Min("created_at", filter=Q(status=Status.PENDING)), "epoch"),
        under_way=Count("pk", filter=Q(status=Status.PROCESSING)),
    )
    return Queue(
        waiting=now["waiting"],
        oldest_seconds=max(0.0, float(now["oldest"] or 0)),
        under_way=now["under_way"],
        abandoned=ExportJob.objects.abandoned(settings.EXPORT_HEARTBEAT_TIMEOUT).count(),
        overlong=ExportJob.objects.overlong(settings.EXPORT_TIMEOUT).count(),
    )


def forgotten() -> int:
    """Exports that have waited for a while without a call for them in RQ's queue. Raise RedisError."""
    waiting = dispatch.waiting()
    rung = ExportJob.objects.forgotten(FORGOTTEN_AFTER).order_by("created_at").values_list("pk", "dispatch")
    return sum(dispatch.dispatch_id(*each) not in waiting for each in rung[:MOST_WAITING])


def published_bytes() -> int:
    """Of all archives that can be downloaded."""
    sizes = ExportJob.objects.order_by().filter(status=Status.COMPLETED)
    return sizes.aggregate(total=Sum("file_size"))["total"] or 0


def stuck_cancellations() -> tuple[str, ...]:
    return tuple(str(job_id) for job_id in ExportJob.objects.stuck().values_list("pk", flat=True))


@dataclass(frozen=True)
class Letters:
    sent: int
    given_up: int


def letters() -> Letters:
    found = Letter.objects.aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        given_up=Count("pk", filter=Q(sent_at=None, tries=MAX_TRIES)),
    )
    return Letters(**found)


@dataclass(frozen=True)
class Sweeps:
    last: datetime | None
    orphans_removed: int
    orphan_bytes: int


def sweeps() -> Sweeps:
    """What the scheduler did; `last` is None before its first pass."""
    row = Rollup.objects.filter(pk=1).first() or Rollup()
    return Sweeps(row.swept_at, row.orphans_removed, row.orphan_bytes)
