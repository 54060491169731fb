"""The cast and the stage that most tests share."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import hypothesis
import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from redis import Redis

from exports import build, dispatch, lifecycle
from exports.messages import Failure
from exports.models import ExportJob
from exports.states import CancelReason
from projects.models import Image, Membership, Project, Role, Segmentation
from projects.outlines import OutlinedObject, pack
from tests.jobs import request_for
from tests.waiting import until

# How long an example takes says nothing on a machine that others use. A change is judged by the same examples
# as the one before it; `make test PYTEST_ARGS=--hypothesis-profile=curious` looks for new ones.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("curious", deadline=None, max_examples=500)
hypothesis.settings.load_profile("same")


@pytest.fixture(autouse=True)
def _quick_settings(settings: Any) -> None:
    """Passwords that hash fast, and names of static files that need no manifest."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def _quiet_stage() -> Iterator[None]:
    """Each test finds Redis empty and no file on disk."""
    Redis.from_url(settings.REDIS_URL).flushall()
    yield
    for folder in (settings.EXPORT_ROOT, settings.MEDIA_ROOT):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _idle_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """The tables are emptied only when no program of the test is at work in them any more."""
    if "transactional_db" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")  # so that this ends before it does
    yield
    with suppress(TimeoutError):
        until(_is_idle, seconds=5)


def _is_idle() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return bool(cursor.fetchone() == (0,))


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Collects (function, job id, call id) instead of calling a worker."""
    rung: list[tuple[str, str, str]] = []

    def note(function: str, job_id: object, call_id: str, **_: object) -> None:
        rung.append((function, str(job_id), call_id))

    monkeypatch.setattr(dispatch, "_enqueue", note)
    monkeypatch.setattr(dispatch, "_clean_here", lambda job_id: note(dispatch.CLEANING, job_id, "here"))
    return rung


@pytest.fixture
def alice(transactional_db: None) -> User:
    """Owns the project."""
    return _user("alice")


@pytest.fixture
def bob(transactional_db: None) -> User:
    """May export the project."""
    return _user("bob")


@pytest.fixture
def vera(transactional_db: None) -> User:
    """May only look at the project."""
    return _user("vera")


@pytest.fixture
def mallory(transactional_db: None) -> User:
    """A member of nothing."""
    return _user("mallory")


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture
def project(alice: User, bob: User, vera: User) -> Project:
    """Three PNG images; two of them with three objects each, one of which has a hole."""
    made = Project.objects.create(name="Nuclei", owner=alice)
    Membership.objects.create(project=made, user=bob, role=Role.EXPORTER)
    Membership.objects.create(project=made, user=vera, role=Role.VIEWER)
    square = [(10, 10), (30, 10), (30, 30), (10, 30)]
    ring = [square, [(15, 15), (15, 25), (25, 25), (25, 15)]]
    triangle = [(40, 40), (43, 40), (40, 44)]
    objects = [
        OutlinedObject(parts=[[square]], class_name="nucleus", score=0.9),
        OutlinedObject(parts=[ring], class_name="cell"),
        OutlinedObject(parts=[[triangle]], class_name="nucleus", score=0.5),
    ]
    add_image(made, "a.png", objects, pixel_size=0.5)
    add_image(made, "b.png", objects, pixel_size=0.5)
    add_image(made, "empty.png", None, pixel_size=0.5)
    return made


@pytest.fixture
def job(project: Project, bell: list[tuple[str, str, str]]) -> ExportJob:
    """Alice's, waiting for a worker."""
    return lifecycle.request(request_for(project, project.owner))[0]


@pytest.fixture
def processing(job: ExportJob) -> ExportJob:
    return lifecycle.claim(job.pk)


@pytest.fixture
def completed(job: ExportJob) -> ExportJob:
    """With a real archive on disk."""
    build.run(job.pk)
    return ExportJob.objects.get(pk=job.pk)


@pytest.fixture
def cancelled(processing: ExportJob) -> ExportJob:
    return lifecycle.cancel(processing.pk, lifecycle.actor(processing.user), CancelReason.USER)


@pytest.fixture
def failed(processing: ExportJob) -> ExportJob:
    failure = Failure("build_failed", "The archive could not be built.", retryable=True)
    return lifecycle.fail(processing.pk, processing.attempt, failure)


@pytest.fixture
def expired(completed: ExportJob) -> ExportJob:
    return lifecycle.expire(completed.pk, "deleted", lifecycle.actor(completed.user))


@pytest.fixture(autouse=True)
def _no_connection_left() -> Iterator[None]:
    """Threads of a test must not keep the test database open."""
    yield
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close()


def add_image(
    project: Project, name: str, objects: list[OutlinedObject] | None, pixel_size: float | None = None
) -> Image:
    """A real PNG of 64 x 48 pixels in the store; no segmentation when `objects` is None."""
    pixels = np.random.default_rng(len(name)).integers(0, 255, (48, 64), np.uint8)
    content = cv2.imencode(".png", pixels)[1].tobytes()
    image = store_file(project, name, content, pixel_size=pixel_size)
    if objects is not None:
        image.segmentation = Segmentation.objects.create(image=image, **pack(objects))
        image.save(update_fields=["segmentation"])
    return image


def store_file(project: Project, name: str, content: bytes, pixel_size: float | None = None) -> Image:
    """An image row of 64 x 48 pixels whose file holds `content`, whatever that is."""
    stored = f"images/{uuid.uuid4()}.png"
    path = Path(settings.MEDIA_ROOT) / stored
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Image.objects.create(
        project=project, name=name, file=stored, width=64, height=48, size=len(content),
        sha256=hashlib.sha256(content).hexdigest(), pixel_size=pixel_size,
    )  # fmt: skip


def _user(name: str) -> User:
    return User.objects.create_user(name, password=name)
