from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.db import connections
from websockets.exceptions import ConnectionClosed, InvalidStatus

from config.embedded.valkey import Valkey
from exports import lifecycle, publishing
from exports.exceptions import LostClaim
from exports.messages import Advance, PublishedFile
from exports.models import ExportJob
from projects.models import Project
from tests.faults.conftest import Listener
from tests.jobs import request_for
from tests.processes import Running, environment, kill, start_daphne, start_valkey

FILE = PublishedFile("x.zip", 10, "0" * 64)
LATEST = 10  # seconds until a client must have been told the truth (G19)
Open = Callable[..., Listener]


def test_a_job_is_followed_from_the_request_to_the_end(
    daphne: Running, listen_to: Open, alice: User, project: Project, bell: list[Any]
) -> None:
    stream = listen_to(daphne, alice)
    assert stream.hear() == {"type": "export:snapshot", "jobs": []}
    job = lifecycle.request(request_for(project, alice))[0]
    assert stream.hear()["type"] == "export:queued"
    lifecycle.claim(job.pk)
    assert stream.hear()["type"] == "export:started"
    lifecycle.beat(job.pk, 1, Advance(50, "images", 1, 2, ""))
    assert stream.hear()["type"] == "export:progress"
    lifecycle.complete(job.pk, 1, FILE, [])
    assert stream.hear()["type"] == "export:completed"


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a_foreign_origin_is_refused(
    daphne: Running, listen_to: Open, alice: User, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        listen_to(daphne, alice, origin=origin)


def test_without_login_the_close_code_says_so(daphne: Running, listen_to: Open) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        listen_to(daphne, None).hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("message", ["", "}", "null", b"", b"\x00\xff", "x" * 60_000])
def test_nonsense_never_breaks_the_socket(
    daphne: Running, listen_to: Open, alice: User, message: str | bytes
) -> None:
    stream = listen_to(daphne, alice)
    stream.hear()
    stream.socket.send(message)
    assert stream.hear()["type"] == "error"
    stream.socket.send(json.dumps({"type": "ping"}))
    assert stream.hear() == {"type": "pong"}


def test_an_enormous_message_closes_its_own_socket_only(
    daphne: Running, listen_to: Open, alice: User
) -> None:
    offender, other = listen_to(daphne, alice), listen_to(daphne, alice)
    offender.hear()
    offender.socket.send("x" * 100_000)
    with pytest.raises(ConnectionClosed):
        offender.hear()
    assert other.hear()["type"] == "export:snapshot"


def test_whatever_races_with_a_cancel_nothing_follows_it(
    daphne: Running, listen_to: Open, alice: User, project: Project, bell: list[Any]
) -> None:
    stream = listen_to(daphne, alice)
    stream.hear()
    with ThreadPoolExecutor(2) as pool:
        jobs = {str(_raced(project, alice, pool).pk) for _ in range(20)}
    while _cancelled(stream) != jobs:
        stream.hear()
    for job_id in jobs:
        told = [frame for frame in stream.heard if frame.get("jobId") == job_id]
        versions = [frame["version"] for frame in told]
        assert versions == sorted(set(versions))
        assert told[-1]["type"] == "export:cancelled"


def _cancelled(stream: Listener) -> set[str]:
    """The jobs that the events so far say are cancelled."""
    return {frame["jobId"] for frame in stream.heard if frame["type"] == "export:cancelled"}


def _raced(project: Project, user: User, pool: ThreadPoolExecutor) -> ExportJob:
    """A job that is cancelled and completed at the same moment."""
    job = lifecycle.request(request_for(project, user))[0]
    lifecycle.claim(job.pk)
    for rival in (pool.submit(_complete, job), pool.submit(_cancel, job)):
        rival.result()
    return job


def _complete(job: ExportJob) -> None:
    try:
        lifecycle.complete(job.pk, 1, FILE, [])
    except LostClaim:
        pass
    finally:
        connections.close_all()


def _cancel(job: ExportJob) -> None:
    try:
        lifecycle.cancel(job.pk, "user:1")
    finally:
        connections.close_all()


@pytest.fixture
def own_valkey(short_folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    """The channel layer of this test, here and in the children that get its address."""
    with start_valkey(short_folder) as valkey:
        settings.REDIS_URL = f"unix://{short_folder}/redis.sock?db=0"
        layer = settings.CHANNEL_LAYERS["default"]
        config = layer["CONFIG"] | {"hosts": [settings.REDIS_URL]}
        settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": config}}
        monkeypatch.setattr(publishing, "_publisher", publishing._Publisher())
        yield valkey


@pytest.fixture
def own_daphne(own_valkey: Valkey, transactional_db: None) -> Iterator[Running]:
    with start_daphne(0, environment(Path(site.DATA_DIR))) as web:
        yield web


def test_after_a_kill_of_redis_the_truth_arrives_in_time(
    own_daphne: Running, own_valkey: Valkey, listen_to: Open, job: ExportJob, alice: User
) -> None:
    stream = listen_to(own_daphne, alice)
    stream.hear()
    kill(own_valkey)
    lifecycle.cancel(job.pk, "user:1")
    own_valkey.start()
    assert stream.hear(LATEST)["type"] == "export:cancelled"


def test_after_a_restart_of_redis_events_flow_again(
    own_daphne: Running, own_valkey: Valkey, listen_to: Open, job: ExportJob, alice: User
) -> None:
    stream = listen_to(own_daphne, alice)
    stream.hear()
    kill(own_valkey)
    own_valkey.start()
    lifecycle.claim(job.pk)
    heard_at_once = 0
    for progress in range(100):
        lifecycle.beat(job.pk, 1, Advance(progress, "images", 1, 2, ""))
        heard_at_once = heard_at_once + 1 if _hears_soon(stream) else 0
        if heard_at_once == 4:
            return
    pytest.fail("only ticks told of the beats")


def _hears_soon(stream: Listener) -> bool:
    try:
        return bool(stream.hear(0.3))
    except TimeoutError:
        return False


def test_with_a_redis_that_does_not_answer_a_stream_opens_and_tells_in_time(
    own_daphne: Running, own_valkey: Valkey, listen_to: Open, job: ExportJob, alice: User
) -> None:
    kill(own_valkey, signal.SIGSTOP)
    stream = listen_to(own_daphne, alice)
    assert stream.hear(5)["type"] == "export:snapshot"
    lifecycle.cancel(job.pk, "user:1")
    assert stream.hear(LATEST)["type"] == "export:cancelled"
