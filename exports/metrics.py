"""What monitoring reads, in Prometheus' text format. It only reads; what is away leaves a gap and an error count.

Names, meanings and alarms are in docs/OPERATIONS.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from config.asking import Question, ask_all
from exports import crew, files, statistics
from exports.consumers import seats
from exports.states import CancelReason, Status
from exports.statistics import History, Letters, Queue, Sweeps

log = structlog.get_logger(__name__)
PATIENCE = 3.0  # seconds for all parts together
STATEMENT_TIMEOUT = "800ms"
FAILURES = ("build_failed", "insufficient_storage", "nothing_exported", "worker_lost")
EXPIRIES = ("retention", "deleted", "file_missing", "project_removed", "restored")
REQUEUES = ("worker_lost", "worker_stopping")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Open, for it names nobody, unless METRICS_TOKEN is set: then that is asked for."""
    if not _may_read(request):
        refused = HttpResponse("Send Authorization: Bearer METRICS_TOKEN.\n", status=401)
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    registry = CollectorRegistry()
    registry.register(_Exports())
    content = generate_latest(registry) + generate_latest(REGISTRY)
    return HttpResponse(content, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read(request: HttpRequest) -> bool:
    wanted: str = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "")
    return not wanted or constant_time_compare(sent, f"Bearer {wanted}")


class _Exports(Collector):
    def collect(self) -> Iterator[Metric]:
        began = time.monotonic()
        found = _found()
        for name, tell in TOLD.items():
            if not isinstance(found[name], Exception):
                yield from tell(found[name])
        yield InfoMetricFamily("exports_build", "The version that answers.", {"version": settings.VERSION})
        yield _gauge("exports_sockets_open", "Streams open in this process.", seats.taken())
        failed = {part: int(isinstance(answer, Exception)) for part, answer in found.items()}
        yield _by("exports_scrape_errors", "1 where this part could not be read now.", "part", failed)
        took = time.monotonic() - began
        yield _gauge("exports_scrape_seconds", "How long it took to read all this.", took)


def _found() -> dict[str, Any]:
    """What each part of TOLD says, or its error."""
    found: dict[str, Any] = ask_all(QUESTIONS, PATIENCE)
    rows = found.pop("database")
    return found | (dict.fromkeys(ROWS, rows) if isinstance(rows, Exception) else rows)


def _rows() -> dict[str, Any]:
    return {name: _read(part) for name, part in ROWS.items()}


def _read(part: Callable[[], Any]) -> Any:
    """In a transaction of its own that cannot write, and that gives up before who asks does."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"
                )
            return part()
    except DatabaseFault as error:
        log.warning("metrics_not_read", part=part.__name__, error=repr(error))
        return error


def _history(moves: History) -> Iterator[Metric]:
    yield _by("exports_jobs", "Exports by status.", "status", moves.by_status())
    yield from _outcomes(moves)
    yield from _times(moves)


def _outcomes(moves: History) -> Iterator[Metric]:
    into = {status: moves.by_reason(from_status="processing", to_status=status) for status in Status.values}
    cancelled = sum(
        (moves.by_reason(from_status=each, to_status="cancelled") for each in ("pending", "completed")),
        into["cancelled"],
    )
    failed = into["failed"] + moves.by_reason(from_status="pending", to_status="failed")
    expired = moves.by_reason(from_status="completed", to_status="expired")
    yield _counter("exports_requested", "Exports accepted.", moves.count(reason="requested"))
    yield _counter("exports_completed", "Archives built.", into["completed"].total())
    yield _counters("exports_failed", "Exports failed.", "code", failed, FAILURES)
    yield _counters("exports_cancelled", "Exports cancelled.", "reason", cancelled, CancelReason.values)
    yield _counters("exports_expired", "Archives removed.", "reason", expired, EXPIRIES)
    yield _counters("exports_requeued", "Exports given back.", "reason", into["pending"], REQUEUES)
    lost = moves.count(from_status="processing", reason="worker_lost")
    yield _counter("exports_workers_lost", "Attempts cut short by the loss of their worker.", lost)
    yield _counter("exports_downloads", "Accepted downloads.", moves.count(reason="downloaded"))


def _times(moves: History) -> Iterator[Metric]:
    wait = HistogramMetricFamily("exports_wait_seconds", "From the request to the first claim.")
    _add(wait, [], moves.times(from_status="pending", to_status="processing"))
    yield wait
    build = HistogramMetricFamily(
        "exports_build_seconds", "From the last claim to the end.", labels=["outcome"]
    )
    for outcome in ("completed", "failed", "cancelled"):
        _add(build, [outcome], moves.times(from_status="processing", to_status=outcome))
    yield build
    cleanup = HistogramMetricFamily(
        "exports_cancel_cleanup_seconds",
        "From a cancel to the moment at which nothing is left of the export.",
    )
    _add(cleanup, [], moves.times(from_status="cancelled", to_status="cancelled", reason="cleaned"))
    yield cleanup


def _queue(now: Queue) -> Iterator[Metric]:
    yield _gauge("exports_queue_depth", "Exports that wait for a worker.", now.waiting)
    yield _gauge("exports_oldest_waiting_seconds", "Age of the oldest that waits.", now.oldest_seconds)
    yield _gauge("exports_under_way", "Exports being built.", now.under_way)
    yield _gauge("exports_abandoned", "Being built, but not heard of.", now.abandoned)
    yield _gauge("exports_overlong", "Being built for longer than allowed.", now.overlong)


def _stuck(stuck: tuple[str, ...]) -> Iterator[Metric]:
    yield _gauge("exports_stuck_cancellations", "Cancelled, but not cleaned up.", len(stuck))


def _published(size: int) -> Iterator[Metric]:
    yield _gauge("exports_published_bytes", "Bytes of all archives that can be downloaded.", size)


def _letters(letters: Letters) -> Iterator[Metric]:
    by_outcome = {"sent": letters.sent, "given_up": letters.given_up}
    yield _counters("exports_letters", "E-mails about ended exports.", "outcome", by_outcome, ())


def _sweeps(sweeps: Sweeps) -> Iterator[Metric]:
    last = sweeps.last.timestamp() if sweeps.last else 0
    yield _gauge("exports_last_sweep_timestamp_seconds", "When the scheduler last swept; 0 for never.", last)
    yield _counter("exports_orphans_removed", "Files removed that no row named.", sweeps.orphans_removed)
    yield _counter("exports_orphan_bytes_removed", "Bytes of these files.", sweeps.orphan_bytes)


def _workers(hands: tuple[crew.Hand, ...]) -> Iterator[Metric]:
    busy = sum(hand.state == "busy" for hand in hands)
    yield _by("exports_workers", "Workers alive.", "state", {"busy": busy, "idle": len(hands) - busy})


def _forgotten(count: int) -> Iterator[Metric]:
    yield _gauge("exports_forgotten", "Waiting, without a call for a worker.", count)


def _disk(free: int) -> Iterator[Metric]:
    yield _gauge("exports_free_bytes", "Bytes free for archives.", free)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _counter(name: str, meaning: str, value: int) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)


def _by(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _counters(
    name: str, meaning: str, label: str, values: Mapping[str, int], expected: tuple[str, ...] | list[str]
) -> Metric:
    """Those `expected` are there from the start, as 0: what grows from nothing is no growth to Prometheus."""
    family = CounterMetricFamily(name, meaning, labels=[label])
    for value in sorted({*values, *expected}):
        family.add_metric([value], values.get(value, 0))
    return family


def _add(family: HistogramMetricFamily, labels: list[str], times: statistics.Times) -> None:
    buckets = [("+Inf" if bound == float("inf") else str(bound), count) for bound, count in times.cumulated()]
    family.add_metric(labels, buckets=buckets, sum_value=times.seconds)


def _crew() -> tuple[crew.Hand, ...]:
    hands = crew.alive()
    if hands is None:
        raise ConnectionError("Redis does not answer.")
    return hands


ROWS: dict[str, Callable[[], Any]] = {
    "history": statistics.history,
    "queue": statistics.queue,
    "stuck": statistics.stuck_cancellations,
    "published": statistics.published_bytes,
    "letters": statistics.letters,
    "sweeps": statistics.sweeps,
}
QUESTIONS: dict[str, Question[Any]] = {
    "database": Question(_rows),
    "forgotten": Question(statistics.forgotten),
    "workers": Question(_crew),
    "disk": Question(lambda: files.free_bytes()),
}
TOLD: dict[str, Callable[[Any], Iterator[Metric]]] = {
    "history": _history,
    "queue": _queue,
    "stuck": _stuck,
    "published": _published,
    "letters": _letters,
    "sweeps": _sweeps,
    "forgotten": _forgotten,
    "workers": _workers,
    "disk": _disk,
}
