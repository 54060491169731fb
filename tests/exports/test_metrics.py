from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from rq import Queue, Worker

from exports import dispatch, files, lifecycle, metrics
from exports.consumers import seats
from exports.models import ExportJob
from tests.jobs import download

pytestmark = pytest.mark.django_db(transaction=True)
Values = dict[str, float]


@pytest.fixture
def read(client: Client) -> Callable[[], Values]:
    """Each sample as `name{label="value"}` and its number."""

    def now() -> Values:
        found = {}
        for family in text_string_to_metric_families(client.get("/metrics").content.decode()):
            for sample in family.samples:
                labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return found

    return now


@pytest.fixture
def worker() -> Worker:
    redis = dispatch.connection()
    made = Worker([Queue("exports", connection=redis)], connection=redis, name="one")
    made.register_birth()
    return made


def test_a_completed_export_is_counted(read: Callable[[], Values], completed: ExportJob) -> None:
    download(completed.pk)
    download(completed.pk)
    now = read()
    assert now['exports_jobs{status="completed"}'] == 1
    assert now['exports_jobs{status="pending"}'] == 0
    assert (now["exports_requested_total"], now["exports_completed_total"]) == (1, 1)
    assert now["exports_downloads_total"] == 2
    assert now["exports_published_bytes"] == completed.file_size
    assert now['exports_build_seconds_count{outcome="completed"}'] == 1
    assert now["exports_wait_seconds_count"] == 1


@pytest.mark.parametrize(
    ("state", "counter"),
    [
        ("failed", 'exports_failed_total{code="build_failed"}'),
        ("cancelled", 'exports_cancelled_total{reason="user_cancelled"}'),
        ("expired", 'exports_expired_total{reason="deleted"}'),
    ],
)
def test_each_end_is_counted(
    read: Callable[[], Values], request: pytest.FixtureRequest, state: str, counter: str
) -> None:
    assert read()[counter] == 0
    request.getfixturevalue(state)
    now = read()
    assert (now[counter], now[f'exports_jobs{{status="{state}"}}']) == (1, 1)


def test_every_cancel_is_counted_and_no_counter_falls(
    read: Callable[[], Values], completed: ExportJob
) -> None:
    before = read()
    lifecycle.cancel(completed.pk, lifecycle.actor(completed.user))
    now = read()
    counters = [name for name in before if name.partition("{")[0].endswith(("_total", "_count", "_bucket"))]
    assert len(counters) > 40
    assert [name for name in counters if now[name] < before[name]] == []
    assert now['exports_cancelled_total{reason="user_cancelled"}'] == 1
    assert now["exports_completed_total"] == 1


def test_the_queue_is_shown(read: Callable[[], Values], job: ExportJob) -> None:
    ExportJob.objects.filter(pk=job.pk).update(created_at="2020-01-01T00:00:00Z", version=99)
    now = read()
    assert (now["exports_queue_depth"], now["exports_under_way"]) == (1, 0)
    assert now["exports_oldest_waiting_seconds"] > 1e8


def test_what_is_stuck_is_shown(read: Callable[[], Values], processing: ExportJob) -> None:
    long_ago = "2020-01-01T00:00:00Z"
    ExportJob.objects.filter(pk=processing.pk).update(heartbeat_at=long_ago, started_at=long_ago, version=99)
    now = read()
    assert (now["exports_abandoned"], now["exports_overlong"]) == (1, 1)


def test_an_export_that_nobody_was_called_for_is_shown(read: Callable[[], Values], job: ExportJob) -> None:
    ExportJob.objects.filter(pk=job.pk).update(rung_at="2020-01-01T00:00:00Z", version=99)
    assert read()["exports_forgotten"] == 1
    Queue("exports", connection=dispatch.connection()).push_job_id(dispatch.dispatch_id(job.pk, job.dispatch))
    assert read()["exports_forgotten"] == 0


def test_workers_are_counted(read: Callable[[], Values], worker: Worker) -> None:
    assert read()['exports_workers{state="idle"}'] == 1
    worker.set_state("busy")
    now = read()
    assert (now['exports_workers{state="idle"}'], now['exports_workers{state="busy"}']) == (0, 1)


def test_open_sockets_are_counted(read: Callable[[], Values]) -> None:
    seats.take(7)
    assert read()["exports_sockets_open"] == 1
    seats.leave(7)
    assert read()["exports_sockets_open"] == 0


def test_without_redis_the_rest_is_told(
    read: Callable[[], Values], job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis.from_url("unix:///nowhere/redis.sock")
    monkeypatch.setattr(dispatch, "connection", lambda: nowhere)
    now = read()
    assert (now['exports_scrape_errors{part="workers"}'], now['exports_scrape_errors{part="queue"}']) == (
        1,
        0,
    )
    assert not [name for name in now if name.startswith("exports_workers{")]
    assert now["exports_queue_depth"] == 1


def test_a_part_that_takes_too_long_leaves_a_gap(
    read: Callable[[], Values], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        return 0

    monkeypatch.setattr(metrics, "STATEMENT_TIMEOUT", "50ms")
    monkeypatch.setitem(metrics.ROWS, "letters", sleep)
    now = read()
    assert (now['exports_scrape_errors{part="letters"}'], now['exports_scrape_errors{part="sweeps"}']) == (
        1,
        0,
    )
    assert 'exports_letters_total{outcome="sent"}' not in now


def test_a_disk_that_is_away_leaves_a_gap(
    read: Callable[[], Values], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise PermissionError("/var/secret")

    monkeypatch.setattr(files, "free_bytes", refuse)
    assert read()['exports_scrape_errors{part="disk"}'] == 1


def test_reading_cannot_write(read: Callable[[], Values], monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> int:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO exports_rollup VALUES (5, 0, NULL, 0, 0)")
        return 0

    monkeypatch.setitem(metrics.ROWS, "letters", write)
    assert read()['exports_scrape_errors{part="letters"}'] == 1


@pytest.mark.parametrize("state", ["job", "processing", "completed", "cancelled"])
def test_reading_changes_no_row_no_file_and_no_key(
    client: Client, request: pytest.FixtureRequest, worker: Worker, state: str
) -> None:
    request.getfixturevalue(state)
    dispatch.connection().sadd(Worker.redis_workers_keys, "rq:worker:gone")
    before = everything()
    assert client.get("/metrics").status_code == client.get("/healthz").status_code == 200
    client.get("/readyz")
    assert everything() == before


def everything() -> tuple[Any, ...]:
    redis = Redis.from_url(django_settings.REDIS_URL)
    keys = {key: redis.dump(key) for key in redis.scan_iter()}
    folders = (django_settings.EXPORT_ROOT, django_settings.MEDIA_ROOT)
    found = {path: path.stat() for folder in folders for path in Path(folder).rglob("*") if path.is_file()}
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} AS t ORDER BY 1")
            rows[table] = cursor.fetchall()
    files_now = {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}
    return keys, files_now, rows


def test_the_number_of_queries_is_fixed(completed: ExportJob) -> None:
    with CaptureQueriesContext(connection) as few:
        metrics._rows()
    lifecycle.cancel(completed.pk, lifecycle.actor(completed.user))
    with CaptureQueriesContext(connection) as more:
        metrics._rows()
    asked = [query["sql"] for query in few if not query["sql"].startswith(("BEGIN", "COMMIT", "SET"))]
    assert len(few) == len(more)
    assert len(asked) == 8


def test_no_part_reads_the_whole_table_of_exports(completed: ExportJob) -> None:
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        cursor.execute("SET enable_seqscan = off")
        metrics._rows()
        selects = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]
        plans = []
        for statement in selects:
            cursor.execute(f"EXPLAIN {statement}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
        cursor.execute("RESET enable_seqscan")
    assert len(plans) == 8
    assert not [plan for plan in plans if re.search(r"Seq Scan on exports_(exportjob|transition)", plan)]


def test_names_and_texts_follow_prometheus_rules(client: Client, completed: ExportJob) -> None:
    text = client.get("/metrics").content.decode()
    families = {each.name: each for each in text_string_to_metric_families(text)}
    own = {name: each for name, each in families.items() if name.startswith("exports_")}
    assert len(own) > 25
    for name, family in own.items():
        assert re.fullmatch(r"exports(_[a-z0-9]+)+", name)
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter", "histogram")
        assert not name.endswith(("_ms", "_total", "_count", "_sum"))
    assert text.count("# TYPE exports_jobs ") == 1


def test_the_process_and_the_version_are_told(read: Callable[[], Values]) -> None:
    now = read()
    assert now[f'exports_build_info{{version="{django_settings.VERSION}"}}'] == 1
    assert now["process_resident_memory_bytes"] > 1e6


def test_nothing_personal_is_told(client: Client, completed: ExportJob) -> None:
    text = client.get("/metrics").content.decode()
    names = (completed.user.username, completed.project.name, str(completed.pk), str(completed.project_id))
    assert [name for name in names if name in text] == []


def test_a_token_can_be_asked_for(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "monitor"
    refused = client.get("/metrics")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert client.get("/metrics", headers={"authorization": "Bearer monitors"}).status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer mönitor"}).status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer monitor"}).status_code == 200


def test_an_empty_hub_has_metrics_too(read: Callable[[], Values]) -> None:
    now = read()
    assert (now["exports_last_sweep_timestamp_seconds"], now["exports_queue_depth"]) == (0, 0)
    assert {value for name, value in now.items() if name.startswith("exports_scrape_errors")} == {0}
