"""For supervisors and monitoring: is the process alive, can it serve, what has it done. Only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import Error as DatabaseFault
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from rq import Worker

from exports import dispatch, files, statistics
from exports.estimate import RESERVE


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when exports can be started, built and fetched; otherwise 503 and the reasons.

    What is wrong but stops nobody is a warning: the ids of cancelled exports that still have a file.
    """
    reasons = {name: reason for name, check in CHECKS.items() if (reason := check())}
    stuck = [] if "database" in reasons else list(statistics.stuck_cancellations())
    warnings = {"stuckCancellations": stuck} if stuck else {}
    answer = {"ready": not reasons, "reasons": reasons, "warnings": warnings}
    return JsonResponse(answer, status=503 if reasons else 200)


@require_safe
@never_cache
def metrics(_request: HttpRequest) -> HttpResponse:
    """Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Exports())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Exports(Collector):
    def collect(self) -> Iterator[Metric]:
        now = statistics.read()
        jobs = GaugeMetricFamily("exports_jobs", "Exports by status.", labels=["status"])
        for status, count in now.by_status.items():
            jobs.add_metric([status], count)
        yield jobs
        for name, meaning, value in (
            ("exports_oldest_waiting_seconds", "Age of the oldest one.", now.oldest_waiting_seconds),
            ("exports_published_bytes", "Bytes of all archives that can be downloaded.", now.published_bytes),
            ("exports_stuck_cancellations", "Cancelled, but not cleaned up.", len(now.stuck_cancellations)),
            ("exports_free_bytes", "Bytes free for archives.", files.free_bytes()),
        ):
            yield GaugeMetricFamily(name, meaning, value=value)
        yield CounterMetricFamily("exports_downloads", "Accepted downloads.", value=now.downloads)
        yield CounterMetricFamily("exports_workers_lost", "Attempts cut short.", value=now.workers_lost)
        letters = CounterMetricFamily("exports_letters", "E-mails about ended exports.", labels=["outcome"])
        letters.add_metric(["sent"], now.letters_sent)
        letters.add_metric(["given_up"], now.letters_given_up)
        yield letters


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseFault:
        return "The database does not answer."
    return ""


def _redis() -> str:
    try:
        dispatch.connection().ping()
    except RedisError:
        return "Redis does not answer."
    return ""


def _worker() -> str:
    """RQ lets the entry of a silent worker expire; `all` leaves those out."""
    try:
        alive = Worker.all(connection=dispatch.connection())
    except RedisError:
        return "Redis does not answer, so no worker can be seen."
    return "" if alive else "No export worker is registered."


def _disk() -> str:
    try:
        free = files.free_bytes()
    except OSError:
        return "The disk for archives cannot be used."
    return "" if free > RESERVE else f"Only {free} bytes are free for archives."


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis,
    "worker": _worker,
    "disk": _disk,
}
