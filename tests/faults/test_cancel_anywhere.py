"""A cancel at every instant of an export's life, by construction: the build stands still where it meets it.

Once the cancel was answered, the export is cancelled for ever, nothing of it can be fetched, and nothing is
left on disk.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Event
from typing import Any
from unittest.mock import Mock, create_autospec
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils.module_loading import import_string

from exports import assembly, events, files, jobs, lifecycle, pulse, snapshot, sweep
from exports.archive import overlay, zipping
from exports.models import ExportJob
from imagefiles import values
from projects.models import Membership, Project
from tests.calling import call, client_for, job_url, key_of
from tests.conftest import store_file
from tests.faults.conftest import Listener
from tests.jobs import request_for
from tests.processes import Running
from tests.races.conftest import outcome_of, until_waiting
from tests.stack import call as call_over_http

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30.0  # seconds

Bell = list[tuple[str, str, str]]
Place = tuple[object, str]
Hold = Callable[..., AbstractContextManager[None]]

PLACES: dict[str, Place] = {
    "claimed": (files, "staging"),
    "preparing": (snapshot, "read"),
    "between two images": (assembly._Assembly, "_count"),
    "decoding an image": (values, "_decoded"),
    "drawing an image": (overlay, "_fill"),
    "packing an image": (overlay, "encode_png"),
    "finishing": (assembly._Assembly, "_guide"),
    "closing the archive": (zipping.Archive, "close"),
    "hashing": (files, "_hash"),
    "publishing": (files, "_flush_folder"),
    "between publishing and the commit": (lifecycle, "complete"),
}


@dataclass(frozen=True)
class Aftermath:
    """What everybody can see of an export once all is over."""

    status: str = "cancelled"
    moves: tuple[str, ...] = ("pending", "processing", "cancelled")
    on_disk: tuple[str, ...] = ()
    is_receipted: bool = True
    download: tuple[int, str] = (410, "export_cancelled")
    told_afterwards: tuple[str, ...] = ("export:cleanup:completed",)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of all events, in order, as the job's user hears them."""
    types: list[str] = []

    def note(group: str, payload: dict[str, Any]) -> None:
        if group.startswith("user."):
            types.append(payload["type"])

    monkeypatch.setattr(events, "publish", note)
    return types


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Hold:
    """The job is built in a thread that stands at a place while the `with` lasts, then goes on to its end."""

    @contextmanager
    def building(job: ExportJob, place: Place, visit: int = 1) -> Iterator[None]:
        is_there, may_go = Event(), Event()
        original, visits = getattr(*place), count(1)

        def stand(*args: Any, **named: Any) -> object:
            if next(visits) == visit:
                is_there.set()
                may_go.wait(PATIENCE)
            return original(*args, **named)

        monkeypatch.setattr(*place, stand)
        with ThreadPoolExecutor(1) as pool:
            over = pool.submit(outcome_of, partial(jobs.build, str(job.pk)))
            assert is_there.wait(PATIENCE), over.result(0)
            try:
                yield
            finally:
                may_go.set()
            assert over.result(PATIENCE) is None

    return building


def cancel(user: User, job: ExportJob) -> Any:
    return call(user, "POST", job_url(job, "cancel"))


def deliver(bell: Bell) -> None:
    """Have all calls answered, also those that come too late."""
    while bell:
        function, job_id, _ = bell.pop(0)
        import_string(function)(job_id)


def aftermath(job: ExportJob, told: list[str]) -> Aftermath:
    row = ExportJob.objects.get(pk=job.pk)
    download = call(job.user, "GET", job_url(job, "download"))
    rows = job.transitions.order_by("sequence").values_list("from_status", "to_status")
    return Aftermath(
        row.status,
        tuple(target for source, target in rows if source != target),
        tuple(path.name for _, _, path in files.present()),
        row.cleaned_at is not None and row.bytes_freed is not None,
        (download.status_code, download.json()["code"]),
        tuple(told[told.index("export:cancelled") + 1 :]),
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_cancel_under_way_is_kept(
    job: ExportJob, hold: Hold, bell: Bell, told: list[str], place: str
) -> None:
    with hold(job, PLACES[place]):
        answer = cancel(job.user, job)
    deliver(bell)

    assert (answer.status_code, answer.json()["job"]["status"]) == (200, "cancelled")
    assert aftermath(job, told) == Aftermath()


@pytest.mark.parametrize("place", PLACES)
def test_a_build_that_goes_on_after_the_cleaning_and_notices_nothing_leaves_nothing(
    job: ExportJob, hold: Hold, bell: Bell, told: list[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", PATIENCE)
    monkeypatch.setattr(pulse, "SILENCE_SECONDS", PATIENCE)
    with hold(job, PLACES[place]):
        cancel(job.user, job)
        deliver(bell)
    sweep.sweep()

    assert aftermath(job, told) == Aftermath()


def test_a_cancel_inside_the_writing_of_a_large_file_ends_it_there(
    alice: User, bell: Bell, hold: Hold, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0)
    large = Project.objects.create(name="Large", owner=alice)
    store_file(large, "large.png", secrets.token_bytes(16 * zipping.CHUNK))
    written = spy(monkeypatch, zipping._Storer, "compress")
    job, _ = lifecycle.request(request_for(large, alice))

    with hold(job, (zipping._Storer, "compress"), visit=5):
        answer = cancel(alice, job)
    deliver(bell)

    assert (answer.status_code, written.call_count) == (200, 5)
    assert aftermath(job, told) == Aftermath()


def test_a_cancel_inside_a_long_image_ends_it_there(
    job: ExportJob, bell: Bell, hold: Hold, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0)
    packed = spy(monkeypatch, overlay, "encode_png")

    with hold(job, PLACES["drawing an image"]):
        answer = cancel(job.user, job)
    deliver(bell)

    assert (answer.status_code, packed.call_count) == (200, 0)
    assert aftermath(job, told) == Aftermath()


def test_a_cancel_while_waiting_is_kept(job: ExportJob, bell: Bell, told: list[str]) -> None:
    assert cancel(job.user, job).status_code == 200
    deliver(bell)
    sweep.sweep()

    assert aftermath(job, told) == Aftermath(moves=("pending", "cancelled"), told_afterwards=())


def test_a_cancel_before_the_first_download_takes_the_file_away(
    completed: ExportJob, bell: Bell, told: list[str]
) -> None:
    assert cancel(completed.user, completed).status_code == 200
    deliver(bell)

    assert aftermath(completed, told) == Aftermath(moves=("pending", "processing", "completed", "cancelled"))
    assert ExportJob.objects.get(pk=completed.pk).bytes_freed == completed.file_size


def test_a_second_cancel_says_and_tells_nothing_new(
    processing: ExportJob, bell: Bell, told: list[str]
) -> None:
    first, second = cancel(processing.user, processing), cancel(processing.user, processing)
    deliver(bell)

    assert (second.status_code, second.content) == (200, first.content)
    assert aftermath(processing, told) == Aftermath()


def test_64_cancels_at_once_are_one_move_one_event_and_one_answer(
    processing: ExportJob, daphne: Running, listen_to: Callable[..., Listener]
) -> None:
    key_of(processing.user, "key")
    stream = listen_to(daphne, processing.user)
    stream.hear_until("export:snapshot")

    answers = ask_at_once(daphne.url, processing, 64)
    jobs.clean(str(processing.pk))
    stream.hear_until("export:cleanup:completed")

    assert [status for status, _ in answers] == [200]
    assert [frame["type"] for frame in stream.heard].count("export:cancelled") == 1
    assert processing.transitions.filter(from_status="processing").count() == 1


def test_the_owner_of_the_project_cancels_the_export_of_a_member(
    project: Project, bob: User, bell: Bell, told: list[str]
) -> None:
    job, _ = lifecycle.request(request_for(project, bob))
    lifecycle.claim(job.pk)

    assert cancel(project.owner, job).status_code == 200
    deliver(bell)

    assert aftermath(job, told) == Aftermath()
    assert job.transitions.get(reason="user_cancelled").actor == lifecycle.actor(project.owner)


def test_an_admin_cancels_by_the_action_of_the_admin_pages(
    processing: ExportJob, admin_user: User, bell: Bell, told: list[str]
) -> None:
    page = reverse("admin:exports_exportjob_changelist")
    asked = {"number": str(uuid4()), "job": [str(processing.pk)], "explanation": "The disk is being replaced"}

    assert client_for(admin_user).post(f"{page}act/cancel/", asked).status_code == 200
    deliver(bell)

    assert aftermath(processing, told) == Aftermath()


def test_who_lost_access_cannot_cancel_and_the_sweep_does(
    project: Project, bob: User, bell: Bell, told: list[str]
) -> None:
    job, _ = lifecycle.request(request_for(project, bob))
    lifecycle.claim(job.pk)
    Membership.objects.filter(user=bob).delete()

    assert cancel(bob, job).status_code == 404
    sweep.sweep()

    assert aftermath(job, told) == Aftermath(download=(404, "not_found"))
    assert ExportJob.objects.get(pk=job.pk).cancel_reason == "system_cancelled"


def test_a_cancel_that_cannot_have_the_lock_is_no_cancel(processing: ExportJob) -> None:
    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        ExportJob.objects.select_for_update().get(pk=processing.pk)
        answer = thread.submit(outcome_of, partial(cancel, processing.user, processing)).result(PATIENCE)

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")
    assert ExportJob.objects.get(pk=processing.pk).status == "processing"
    assert cancel(processing.user, processing).status_code == 200


def ask_at_once(url: str, job: ExportJob, count: int) -> set[tuple[int | None, bytes]]:
    """The different answers to a cancel; some wait for the row before the first gets it."""
    ask = partial(call_over_http, url, "POST", job_url(job, "cancel"), "key", timeout=PATIENCE)
    with ThreadPoolExecutor(count) as crowd:
        with transaction.atomic():
            ExportJob.objects.select_for_update().get(pk=job.pk)
            waiting = [crowd.submit(ask) for _ in range(count)]
            until_waiting(4)
        return {(each.result().status, each.result().body) for each in waiting}


def spy(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> Mock:
    """Counts the calls."""
    counted: Mock = create_autospec(getattr(owner, name), side_effect=getattr(owner, name))
    monkeypatch.setattr(owner, name, counted)
    return counted
