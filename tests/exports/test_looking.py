"""Looking changes nothing, and whatever is done to RQ's queue decides nothing (G26)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.contrib import admin as site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from rq.job import Job
from rq.queue import Queue

from exports import build, dispatch, lifecycle, sweep
from exports.admin.actions import ACTIONS
from exports.exceptions import IllegalMove
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)
STATES = ["job", "processing", "completed", "failed", "cancelled", "expired"]


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def everything() -> list[tuple[Any, ...]]:
    """All rows that say what becomes of an export."""
    found = []
    with connection.cursor() as cursor:
        for table in ("exports_exportjob", "exports_transition", "exports_snapshot"):
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
            found += cursor.fetchall()
    return found


def pages(job: ExportJob) -> Iterator[str]:
    for model in site.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
    yield reverse("admin:exports_exportjob_change", args=[job.pk])
    yield reverse("admin:exports_exportjob_history", args=[job.pk])
    yield from ("/admin/overview/", "/admin/rq/", f"/admin/projects/project/{job.project_id}/change/")
    yield from ("/admin/", "/healthz", "/readyz", "/metrics", "/exports/", job.project.get_absolute_url())
    yield from ("/api/openapi.json", "/api/events.json", f"/exports/{job.pk}/card/")


@pytest.mark.parametrize("state", STATES)
def test_looking_at_every_page_changes_nothing(
    request: pytest.FixtureRequest, admin: Client, state: str
) -> None:
    job = request.getfixturevalue(state)
    before = everything()
    for page in pages(job):
        assert admin.get(page).status_code != 500, page
    assert everything() == before


# What forms of the admin are made of, and what people and programs put into them. No number of an order is among
# them: with one, and a permission, an action is meant.
FIELDS = [
    "action", "index", "select_across", "_selected_action", "_save", "_saveasnew", "_continue", "post", "_popup",
    "_to_field", "explanation", "q", "o", "p", "e", "all", "until", "concern", "form-0-status",
    "transitions-TOTAL_FORMS", "transitions-INITIAL_FORMS", "transitions-0-reason",
    *(field.name for field in ExportJob._meta.get_fields()),
]  # fmt: skip
VALUES = [
    "0",
    "1",
    "-1",
    "cancelled",
    "cancel",
    "expire",
    "yes",
    "\0",
    "é' OR 1=1",
    "2026-13-45",
    "9" * 30,
    "",
]


def admin_pages(job: ExportJob) -> list[str]:
    """Every address of the admin, those with an id once with that of the export."""
    found = []
    for model in site.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_{page}") for page in ("changelist", "add")]
        found += [reverse(f"{name}_{page}", args=[job.pk]) for page in ("change", "delete", "history")]
    found += [reverse("admin:exports_exportjob_act", args=[name]) for name in ACTIONS]
    return [each for each in found if "/exports/" in each]


@pytest.mark.parametrize("state", ["processing", "completed"])
def test_whatever_is_sent_to_the_admin_changes_no_export(
    request: pytest.FixtureRequest, admin: Client, state: str
) -> None:
    job = request.getfixturevalue(state)
    before, dice = everything(), Random(20261122)
    for page in admin_pages(job) * 3:
        sent = {name: dice.choice([*VALUES, str(job.pk)]) for name in dice.sample(FIELDS, 8)}
        sent |= {"job": str(job.pk), "_selected_action": str(job.pk), "number": dice.choice(VALUES)}
        for ask in (admin.get, admin.post):
            assert ask(page, sent).status_code < 500, (ask, page, sent)
    assert everything() == before


def _empty(queue: Queue) -> None:
    queue.empty()


def _delete(queue: Queue) -> None:
    for call in queue.jobs:
        call.delete()


def _cancel(queue: Queue) -> None:
    for call in queue.jobs:
        call.cancel()


def _fail(queue: Queue) -> None:
    for call in queue.jobs:
        queue.failed_job_registry.add(call, ttl=100)
        queue.remove(call)


def _repeat(queue: Queue) -> None:
    for call in queue.jobs:
        queue.enqueue_call(call.func_name, args=call.args, job_id=f"{call.id}-again")


@pytest.mark.parametrize("meddle", [_empty, _delete, _cancel, _fail, _repeat])
def test_what_is_done_to_the_queue_loses_nothing(
    project: Project, meddle: Callable[[Queue], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "RING_AGAIN_AFTER", timedelta(0))
    job, _ = lifecycle.request(request_for(project, project.owner))
    meddle(dispatch._queue())
    sweep.sweep()
    for call in dispatch._queue().jobs:
        _answer(call)
    row = ExportJob.objects.get(pk=job.pk)
    assert (row.status, row.attempt) == (Status.COMPLETED, 1)


def _answer(call: Job) -> None:
    """As a worker does: what is not its own (any more), it leaves alone."""
    with suppress(IllegalMove):
        build.run(ExportJob.objects.get(pk=call.args[0]).pk)


def test_a_call_for_a_cancelled_export_builds_nothing(project: Project) -> None:
    job, _ = lifecycle.request(request_for(project, project.owner))
    lifecycle.cancel(job.pk, "user:1")
    before = everything()
    for call in dispatch._queue().jobs:
        _answer(call)
    assert everything() == before
