from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from redis import Redis
from rq import Queue, Worker

from exports import dispatch, health, lifecycle
from exports.models import ExportJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker() -> Worker:
    """Registered, as a worker process does at its start."""
    redis = dispatch.connection()
    made = Worker([Queue("exports", connection=redis)], connection=redis, name="one")
    made.register_birth()
    return made


At = Callable[[Path], None]


@pytest.fixture
def redis_at(monkeypatch: pytest.MonkeyPatch) -> At:
    def move(socket: Path) -> None:
        there = Redis.from_url(f"unix://{socket}", socket_timeout=dispatch.PATIENCE)
        monkeypatch.setattr(dispatch, "connection", lambda: there)

    return move


@pytest.fixture
def database_at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Where the connections that are opened from now on look for the server."""

    def move(folder: Path) -> None:
        monkeypatch.setitem(connections.settings["default"], "HOST", str(folder))
        monkeypatch.setitem(connections.settings["default"], "PORT", "5432")

    return move


@pytest.fixture
def silent() -> Iterator[Callable[[Path], None]]:
    """Makes servers that take every connection and never answer."""
    listeners = []

    def listen(path: Path) -> None:
        listeners.append(socket.socket(socket.AF_UNIX))
        listeners[-1].bind(str(path))
        listeners[-1].listen()

    yield listen
    for each in listeners:
        each.close()


def ready(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/readyz")
    return response.status_code, response.json()["reasons"]


def test_the_process_lives(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


def test_it_is_ready_with_a_worker(client: Client, worker: Worker) -> None:
    assert ready(client) == (200, {})


def test_it_is_not_ready_without_a_worker(client: Client) -> None:
    assert ready(client) == (503, {"worker": "No export worker is registered."})


def test_a_worker_that_fell_silent_does_not_count(client: Client, worker: Worker) -> None:
    dispatch.connection().delete(worker.key)  # as Redis does when it is not renewed
    assert [*ready(client)[1]] == ["worker"]


def test_it_is_not_ready_without_redis(client: Client, worker: Worker, redis_at: At, tmp_path: Path) -> None:
    redis_at(tmp_path / "secret.sock")
    status, reasons = ready(client)
    assert (status, [*reasons]) == (503, ["redis", "worker"])
    assert "secret" not in json.dumps(reasons)


def test_it_is_not_ready_without_the_database(
    client: Client, worker: Worker, database_at: At, tmp_path: Path
) -> None:
    database_at(tmp_path / "secret")
    assert ready(client) == (503, {"database": "The database does not answer."})


def test_servers_that_hang_do_not_hold_the_answer_up(
    client: Client, worker: Worker, redis_at: At, database_at: At, silent: Callable[[Path], None]
) -> None:
    with TemporaryDirectory() as folder:  # the path of a socket has to be short
        silent(Path(folder, "redis.sock"))
        silent(Path(folder, ".s.PGSQL.5432"))
        redis_at(Path(folder, "redis.sock"))
        database_at(Path(folder))
        began = monotonic()
        answers = [ready(client) for _ in range(2)]
        assert monotonic() - began < 4
        assert client.get("/healthz").status_code == 200
    assert [[*reasons] for _, reasons in answers] == [["database", "redis", "worker"]] * 2
    assert len([each for each in threading.enumerate() if each.name == "question"]) <= 3


def test_it_is_not_ready_with_a_full_disk(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.files.free_bytes", lambda: 5)
    assert ready(client) == (503, {"disk": "Only 5 bytes are free for archives."})


def test_it_is_not_ready_when_the_disk_cannot_be_used(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise PermissionError("/var/secret")

    monkeypatch.setattr("exports.files.free_bytes", refuse)
    assert ready(client) == (503, {"disk": "The disk for archives cannot be used."})


def test_every_part_is_asked() -> None:
    assert {*health.QUESTIONS} == {"database", "redis", "worker", "disk"}


def test_looking_removes_no_dead_worker_from_rqs_list(client: Client, worker: Worker) -> None:
    dispatch.connection().delete(worker.key)
    client.get("/readyz")
    assert dispatch.connection().sismember(Worker.redis_workers_keys, worker.key)


def test_looking_changes_nothing(client: Client, job: ExportJob) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert ExportJob.objects.get(pk=job.pk).version == job.version


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_can_only_be_asked(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_the_statistics_are_readable_by_programs(
    completed: ExportJob, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(settings.EXPORT_ROOT) / "published" / f"{completed.pk}-9.zip").write_bytes(b"left over")
    call_command("export_stats", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["by_status"]["completed"] == 1
    assert (found["orphaned_files"], found["stuck_cancellations"]) == (1, [])


@pytest.fixture
def stuck(cancelled: ExportJob) -> ExportJob:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exports_exportjob SET cancelled_at = now() - interval '301 s', version = version + 1"
        )
    return cancelled


def test_a_cancelled_export_that_left_files_is_named(
    stuck: ExportJob, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("export_stats")
    assert f"Cancelled, but a file is left: {stuck.pk}" in capsys.readouterr().out
    call_command("export_stats", "--json")
    assert json.loads(capsys.readouterr().out)["stuck_cancellations"] == [str(stuck.pk)]
    assert client.get("/readyz").json()["warnings"] == {"stuckCancellations": [str(stuck.pk)]}
    assert b"exports_stuck_cancellations 1.0" in client.get("/metrics").content


def test_one_that_was_just_cancelled_is_not_stuck(cancelled: ExportJob, client: Client) -> None:
    assert client.get("/readyz").json()["warnings"] == {}


def test_one_whose_files_are_gone_is_not_stuck(stuck: ExportJob, client: Client) -> None:
    lifecycle.record_cleanup(stuck.pk, 0)
    assert client.get("/readyz").json()["warnings"] == {}
