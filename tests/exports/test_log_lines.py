"""One line for each move, in the program that made it, once it has happened."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from exports import jobs, lifecycle, rows
from exports.exceptions import AlreadyFailed
from exports.models import ExportJob, Transition
from projects.models import Project
from tests.jobs import download, request_for
from tests.printed import lines_of, printed, transitions
from tests.processes import environment, start_worker
from tests.streams import Opener
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream() -> Iterator[StringIO]:
    with printed() as found:
        yield found


def audit() -> list[tuple[str, int, str, str, str, str]]:
    rows_now = Transition.objects.order_by("id")
    fields = ("job_id", "attempt", "from_status", "to_status", "reason", "actor")
    return [(str(job_id), *rest) for job_id, *rest in rows_now.values_list(*fields)]


def told(stream: StringIO) -> list[tuple[str, int, str, str, str, str]]:
    names = ("job", "attempt", "from", "to", "reason", "actor")
    return [tuple(line[name] for name in names) for line in transitions(stream)]


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled", "expired"])
def test_there_is_one_line_for_each_row_of_the_audit(
    stream: StringIO, request: pytest.FixtureRequest, state: str
) -> None:
    job: ExportJob = request.getfixturevalue(state)
    assert len(audit()) >= 3
    assert told(stream) == audit()
    last = transitions(stream)[-1]
    assert (last["row_version"], last["project"]) == (job.version, str(job.project_id))
    assert last["user"] == job.user_id


def test_a_download_has_a_line(completed: ExportJob, stream: StringIO) -> None:
    download(completed.pk)
    assert [line["reason"] for line in transitions(stream)] == ["downloaded"]


def test_a_refused_cancel_has_a_line(failed: ExportJob, stream: StringIO) -> None:
    with pytest.raises(AlreadyFailed):
        lifecycle.cancel(failed.pk, "user:1")
    assert [line["reason"] for line in transitions(stream)] == ["cancel_refused"]


def test_what_is_rolled_back_has_no_line(job: ExportJob, stream: StringIO) -> None:
    with pytest.raises(InterruptedError):
        _move_and_fail(job)
    assert transitions(stream) == []
    assert ExportJob.objects.get(pk=job.pk).sequence == job.sequence


def _move_and_fail(job: ExportJob) -> None:
    with rows.locked(job.pk) as (row, now):
        rows.change(row, row.status, "never", "nobody", now)
        assert Transition.objects.filter(reason="never").exists()
        raise InterruptedError


def test_a_line_comes_after_its_commit_and_not_before(processing: ExportJob, stream: StringIO) -> None:
    """The transaction of the move is held open at its end: the audit row is written, and nothing is told."""
    written, go_on = threading.Event(), threading.Event()

    def move() -> None:
        with rows.locked(processing.pk) as (row, now):
            rows.change(row, row.status, "held", "nobody", now)
            written.set()
            go_on.wait(10)
        connection.close()

    mover = threading.Thread(target=move)
    mover.start()
    assert written.wait(10)
    before = transitions(stream)
    go_on.set()
    mover.join()
    assert (before, [line["reason"] for line in transitions(stream)]) == ([], ["held"])


def test_a_move_by_a_request_carries_its_id(
    project: Project, alice: User, client_of: Callable[[User], Client], bell: object, stream: StringIO
) -> None:
    body = json.dumps({"options": {}})
    path = f"/api/projects/{project.pk}/export"
    headers = {"x-request-id": "from-the-proxy"}
    answer = client_of(alice).post(path, body, content_type="application/json", headers=headers)
    (line,) = transitions(stream)
    assert answer.status_code == 202
    assert (line["request_id"], line["user"], line["job"]) == (
        "from-the-proxy",
        alice.pk,
        answer.json()["jobId"],
    )


def test_names_cannot_forge_a_line(
    project: Project, alice: User, client_of: Callable[[User], Client], bell: object, stream: StringIO
) -> None:
    project.name = 'x\n{"event": "transition", "to": "completed"}'
    project.save(update_fields=["name"])
    lifecycle.request(request_for(project, alice))
    client_of(alice).get(f"{project.get_absolute_url()}?q=%0d%0a{{}}")
    client_of(alice).get("/%0a{}/")
    assert [line["to"] for line in transitions(stream)] == ["pending"]


def test_what_a_build_logs_names_its_job_and_attempt(
    job: ExportJob, stream: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.assembly.write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        jobs.build(str(job.pk))
    structlog.get_logger("rq.worker").error("job failed")
    last = lines_of(stream)[-1]
    assert (last["job"], last["attempt"]) == (str(job.pk), 1)


def test_a_delivery_that_comes_too_late_names_its_job(cancelled: ExportJob, stream: StringIO) -> None:
    jobs.build(str(cancelled.pk))
    assert [(line["event"], line["job"]) for line in lines_of(stream)] == [
        ("export_left_alone", str(cancelled.pk))
    ]


def test_a_work_horse_says_what_it_did(project: Project, alice: User) -> None:
    with start_worker(environment(settings.DATA_DIR, LOG_LEVEL="INFO")) as worker:
        job, _ = lifecycle.request(request_for(project, alice))
        until(lambda: "built" in worker.output.read_text())
        lines = [json.loads(line) for line in worker.output.read_text().splitlines()]
    moves = [line for line in lines if line["event"] == "transition"]
    assert [(line["to"], line["process"], line["attempt"]) for line in moves] == [
        ("processing", "work_horse", 1),
        ("completed", "work_horse", 1),
    ]
    assert {line["job"] for line in moves} == {str(job.pk)}
    assert {line["pid"] for line in moves}.isdisjoint({worker.process.pid})


async def test_the_lines_of_a_socket_have_its_number_and_user(
    alice: User, open_stream: Opener, no_ticks: None
) -> None:
    with printed() as stream:
        socket = await open_stream(alice, "?token=secret")
        again = await open_stream(alice)
        await again.receive_json_from(timeout=10)
        await again.disconnect(timeout=10)
        await socket.disconnect(timeout=10)
    lines = [line for line in lines_of(stream) if line["event"].startswith("stream_")]
    assert [line["event"] for line in lines] == ["stream_opened", "stream_closed"]
    assert {line["user"] for line in lines} == {alice.pk}
    assert len({line["connection"] for line in lines}) == 1
    assert "secret" not in stream.getvalue()
