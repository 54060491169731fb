"""Report 3, "WebSocket Export Cancellation Race Condition": the event that would have told was missing.

The sections below follow the report: the missing event, the missing types, order, acknowledgment, the
automatic download that asks nobody, and what keeps client and server in step.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from jsonschema import Draft202012Validator, FormatChecker

from exports import build, cleaning, grants, lifecycle, publishing, pulse
from exports.messages import Advance, Failure, PublishedFile
from exports.models import ExportJob
from exports.states import CancelReason
from projects.models import Project
from tests.faults.conftest import Listener
from tests.incidents.conftest import Held
from tests.incidents.outside import PROMPTLY, Caller, fresh
from tests.jobs import request_for
from tests.processes import Running
from tests.races.conftest import Race

FILE = PublishedFile("x.zip", 10, "0" * 64)
NOW = Advance(50, "images", 1, 2, "Image 1")
LATEST = 11.0  # seconds until a socket has read its versions again

IN_CONTRACT = {
    f"export:{name}"
    for name in (
        "queued", "started", "progress", "completed", "failed", "cancelled", "cleanup:completed", "requeued",
        "downloaded", "expired",
    )
}  # fmt: skip

# --- The missing event


def test_a_cancel_is_announced_to_every_socket(
    processing: ExportJob, caller: Caller, stream: Listener, daphne: Running, listen_to: Any, alice: User
) -> None:
    other = listen_to(daphne, alice)
    other.hear_until("export:snapshot")

    caller.cancel(processing)

    for heard in (stream.hear(PROMPTLY), other.hear(PROMPTLY)):
        assert (heard["type"], heard["jobId"]) == ("export:cancelled", str(processing.pk))


@pytest.mark.parametrize("reason", CancelReason.values)
def test_an_announced_cancel_says_when_and_why(processing: ExportJob, stream: Listener, reason: str) -> None:
    cancels: dict[str, Callable[[], ExportJob]] = {
        CancelReason.USER: lambda: lifecycle.cancel(processing.pk, "user:1"),
        CancelReason.TIMEOUT: lambda: lifecycle.cancel_overlong(processing.pk, timedelta(0)),
        CancelReason.SYSTEM: lambda: lifecycle.cancel(processing.pk, "scheduler", CancelReason.SYSTEM),
    }
    cancelled = cancels[reason]()

    heard = stream.hear()

    assert (heard["reason"], heard["userId"]) == (reason, cancelled.user_id)
    assert heard["cancelledAt"] == heard["at"]


def test_an_export_tells_of_each_of_its_steps(
    project: Project, alice: User, stream: Listener, bell: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0)
    job = lifecycle.request(request_for(project, alice))[0]
    stream.hear_until("export:queued")
    build.run(job.pk)

    stream.hear_until("export:completed")
    steps = list(dict.fromkeys(frame["type"] for frame in stream.heard))
    assert steps == ["export:queued", "export:started", "export:progress", "export:completed"]


# --- The missing types


def test_every_event_has_a_schema(
    project: Project, alice: User, caller: Caller, stream: Listener, bell: list[Any]
) -> None:
    for kind, step in lives(project, alice, caller):
        step()
        stream.hear_until(kind)

    document = caller.ask("GET", "/api/events.json").json
    schemas = {each["name"]: each["payload"] for each in document["components"]["messages"].values()}
    for frame in stream.heard:
        schema = schemas[frame["type"]] | {"components": document["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(frame)
    assert {frame["type"] for frame in stream.heard} == IN_CONTRACT


def lives(project: Project, user: User, caller: Caller) -> Iterator[tuple[str, Callable[[], object]]]:
    """Three exports that go through everything that is announced."""
    lost, failed, fetched = (
        lifecycle.request(request_for(project, user, pixel_to_micrometer_scale=scale))[0]
        for scale in (1.0, 2.0, 3.0)
    )
    failure = Failure("build_failed", "No.", retryable=True)
    yield "export:queued", lambda: None
    yield "export:started", lambda: lifecycle.claim(lost.pk)
    yield "export:progress", lambda: lifecycle.beat(lost.pk, 1, NOW)
    yield "export:requeued", lambda: lifecycle.requeue(lost.pk, timedelta(0))
    yield "export:cancelled", lambda: lifecycle.cancel(lost.pk, "user:1")
    yield "export:cleanup:completed", lambda: cleaning.clean(lost.pk)
    yield "export:started", lambda: lifecycle.claim(failed.pk)
    yield "export:failed", lambda: lifecycle.fail(failed.pk, 1, failure)
    yield "export:completed", lambda: build.run(fetched.pk)
    yield "export:downloaded", lambda: caller.download(fetched)
    yield "export:expired", lambda: lifecycle.expire(fetched.pk, "deleted", "user:1")


# --- Order


def test_events_of_an_export_are_ordered_by_version(
    processing: ExportJob, stream: Listener, held: Held
) -> None:
    lifecycle.beat(processing.pk, 1, NOW)
    lifecycle.complete(processing.pk, 1, FILE, [])
    publishing.publish(*held[-1])
    stream.hear_until("export:completed")
    with grants.download(processing.pk, "user:1") as grant:
        grant.accept_start()
    for announcement in held:  # the early one late, the others again, and one that is news
        publishing.publish(*announcement)
    stream.hear_until("export:downloaded")

    versions = [frame["version"] for frame in stream.heard]
    assert versions == sorted(set(versions))


# --- Acknowledgment


def test_the_answer_to_a_cancel_says_that_it_is_cancelled(processing: ExportJob, caller: Caller) -> None:
    answer = caller.cancel(processing)

    assert (answer.status, answer.json["success"]) == (200, True)
    assert answer.json["job"]["status"] == "cancelled"
    assert answer.json["job"] == caller.about(processing).json


def test_a_cancel_that_cannot_be_kept_is_not_acknowledged(processing: ExportJob, caller: Caller) -> None:
    with transaction.atomic():
        ExportJob.objects.select_for_update().get(pk=processing.pk)
        answer = caller.cancel(processing)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert fresh(processing).version == processing.version


# --- The automatic download asks the server


def test_the_automatic_download_is_granted_once(race: Race, completed: ExportJob, caller: Caller) -> None:
    answers: list[Any] = race(completed, *[partial(caller.about, completed, "auto-download", "POST")] * 8)

    assert Counter(answer.status for answer in answers) == {200: 1, 409: 7}


def test_the_automatic_download_is_not_granted_early(processing: ExportJob, caller: Caller) -> None:
    assert caller.about(processing, "auto-download", "POST").status == 404


# --- What keeps client and server in step


def test_a_lost_event_is_made_up_for(processing: ExportJob, stream: Listener, held: Held) -> None:
    lifecycle.cancel(processing.pk, "user:1")

    assert stream.hear(LATEST)["type"] == "export:cancelled"


def test_a_socket_that_comes_back_is_told_the_truth(
    processing: ExportJob, caller: Caller, stream: Listener, daphne: Running, listen_to: Any, alice: User
) -> None:
    stream.socket.close()
    cancelled = caller.cancel(processing).json["job"]

    (job,) = listen_to(daphne, alice).hear()["jobs"]

    assert job == cancelled


def test_a_client_that_asks_is_told_the_truth(
    processing: ExportJob, stream: Listener, held: Held, caller: Caller
) -> None:
    lifecycle.cancel(processing.pk, "user:1")
    stream.socket.send(json.dumps({"type": "export:sync"}))

    (job,) = stream.hear_until("export:snapshot")["jobs"]

    assert job == caller.about(processing).json
