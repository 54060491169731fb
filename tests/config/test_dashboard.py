"""RQ's pages can be looked at, and nothing more (G26)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_rq.urls import get_api_urlpatterns
from rq import Worker
from rq.executions import Execution
from rq.job import Job

from config.dashboard import LOOKING, urlpatterns
from exports import dispatch, lifecycle
from projects.models import Project
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)
HOME = "/admin/rq/"
VIEWS = {str(pattern.name): pattern for pattern in urlpatterns}
GIVEN = {
    **dict.fromkeys(("queue_index", "scheduler_index", "connection_index"), 0),
    "result_id": "1-0",
    "key": "rq:worker:worker-one",
    "scheduler_name": "cron",
    "cron_job_name": "job",
}
CHANGING = sorted(name for name, pattern in VIEWS.items() if pattern.callback.__name__ not in LOOKING)
ABSENT = ["result_detail"]  # there is none of it on this stage
READING = sorted(set(VIEWS) - {*CHANGING, *ABSENT})


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


@pytest.fixture
def call(project: Project) -> Job:
    """One that waits; beside it one under way in a worker, and one that failed."""
    redis, jobs = dispatch.connection(), []
    for formats in (["csv"], ["json"], ["excel"]):
        made, _ = lifecycle.request(request_for(project, project.owner, metrics_formats=formats))
        jobs.append(Job.fetch(dispatch.dispatch_id(made.pk, 1), redis, dispatch._queue().serializer))
    worker = Worker(["exports"], name="worker-one", connection=redis)
    worker.register_birth()
    with redis.pipeline() as changed:
        Execution.create(jobs[1], 600, changed, worker_name=worker.name)
        jobs[1].prepare_for_execution(worker.name, changed)
        jobs[2].failed_job_registry.add(jobs[2], ttl=600, pipeline=changed)
        changed.execute()
    return jobs[0]


def address(name: str, call_id: str) -> str:
    wanted = VIEWS[name].pattern.converters
    return reverse(f"django_rq:{name}", kwargs={each: GIVEN.get(each, call_id) for each in wanted})


def everything() -> tuple[dict[bytes, object], list[tuple[object, ...]]]:
    """What Redis holds, and the rows that say what becomes of an export."""
    redis, rows = dispatch.connection(), []
    with connection.cursor() as cursor:
        for table in ("exports_exportjob", "exports_transition"):
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
            rows += cursor.fetchall()
    return {key: redis.dump(key) for key in redis.keys("rq:*")}, rows  # type: ignore[union-attr]


def test_the_pages_to_look_at_open_and_change_nothing(admin: Client, call: Job) -> None:
    before = everything()
    for name in READING:
        for look in (admin.get, admin.head):
            assert look(address(name, call.id)).status_code == 200, name
        for send in (admin.post, admin.delete):
            assert send(address(name, call.id)).status_code == 405, name
    assert everything() == before


def test_nothing_that_rq_offers_to_change_is_open(admin: Client, call: Job) -> None:
    before = everything()
    asked = {
        "action": "delete",
        "_selected_action": call.id,
        "job_ids": call.id,
        "stop": "Stop",
        "post": "yes",
    }
    for name in CHANGING:
        for send in (admin.get, admin.post):
            page = send(address(name, call.id), asked)
            assert (page.status_code, page["Allow"]) == (405, "GET, HEAD"), name
            assert "RQ's queue can be looked at, not changed." in page.content.decode()
    assert len(CHANGING) >= 9
    assert everything() == before


def test_the_pages_hold_nothing_that_runs_or_is_styled_inline(admin: Client, call: Job) -> None:
    for name in READING:
        page = admin.get(address(name, call.id)).content.decode().partition('id="content-main"')[2]
        assert page, name
        assert not re.search(r"style=|\son\w+=|<style|<script|type=\"submit\"|method=", page), name


def test_a_call_is_found_from_the_front_page(admin: Client, call: Job) -> None:
    assert address("jobs", call.id) in admin.get(HOME).content.decode()
    assert address("job_detail", call.id) in admin.get(address("jobs", call.id)).content.decode()
    assert str(call.args[0]) in admin.get(address("job_detail", call.id)).content.decode()


def test_what_is_not_there_is_not_an_error(admin: Client) -> None:
    for path in (
        *("queues/7/", "queues/7/details/", "workers/7/", "queues/0/export-of-nobody/"),
        *("workers/0/rq:worker:nobody/", "workers/0/nobody/"),
    ):
        assert admin.get(HOME + path).status_code == 404, path
    assert admin.get(f"{HOME}queues/0/finished/?page=junk&desc=junk").status_code == 200


def test_there_is_no_door_beside_the_pages(admin: Client) -> None:
    assert len(get_api_urlpatterns()) == 3
    for path in ("stats.json", "stats.json/token/", "metrics"):
        assert admin.get(HOME + path).status_code == 404
        assert Client().get(HOME + path, headers={"Authorization": "Bearer "}).status_code == 302


def test_the_pages_are_for_staff_who_may_see_exports(
    call: Job, vera: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(vera)
    assert Client().get(HOME)["Location"].startswith("/admin/login/")
    assert client.get(HOME)["Location"].startswith("/admin/login/")
    User.objects.update(is_staff=True)
    assert {client.get(address(name, call.id)).status_code for name in VIEWS} == {403}
    vera.user_permissions.add(Permission.objects.get(codename="view_exportjob"))
    assert client.get(HOME).status_code == 200


def test_without_redis_the_page_is_calm(
    admin: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    monkeypatch.setattr(dispatch, "connection", dispatch.connection.__wrapped__)
    page = admin.get(HOME)
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Redis does not answer" in page.content.decode()
