"""The overview: its numbers are the rows', it reads within bounds, and it stays calm without Redis."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rq import Worker
from rq.executions import Execution

from bench.many_jobs import fill
from exports import crew, dispatch, figures, lifecycle, sweep
from exports.admin.filters import CONCERNS
from exports.models import ExportJob
from exports.states import Status

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/overview/"
QUERIES = 15


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


@pytest.fixture
def many(transactional_db: None) -> list[ExportJob]:
    """Of 40 days, the first of them before those that are shown."""
    fill(600, days=40, users=20, projects=5)
    return list(ExportJob.objects.all())


@pytest.fixture
def silent_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setattr(dispatch, "connection", dispatch.connection.__wrapped__)
        yield


def test_each_export_counts_once_by_day_and_outcome(many: list[ExportJob]) -> None:
    now = figures.clock()
    days = figures.days(now)
    shown = Counter((job.created_at.date(), job.status) for job in many if job.created_at.date() >= days[0])
    assert figures.outcomes(now) == shown
    assert (len(days), days[-1], 0 < sum(shown.values()) < len(many)) == (30, now.date(), True)


def test_the_depth_is_what_waited_at_each_half_hour(transactional_db: None) -> None:
    fill(400, days=2, users=20, projects=5)
    jobs, points = list(ExportJob.objects.all()), figures.depth(figures.clock())
    spans = [(job.created_at, job.started_at or job.cancelled_at or job.failed_at) for job in jobs]
    assert [
        sum(asked <= moment and (left is None or left > moment) for asked, left in spans)
        for moment, _ in points
    ] == [count for _, count in points]
    assert points[-1][1] == sum(job.status == Status.PENDING for job in jobs) > 0
    assert points[1][0] - points[0][0] == timedelta(minutes=30)


def test_what_has_waited_for_days_still_counts(job: ExportJob) -> None:
    points = figures.depth(figures.clock() + timedelta(days=5))
    assert {count for _, count in points} == {1}


def test_who_was_cancelled_while_waiting_waits_no_longer(job: ExportJob) -> None:
    lifecycle.cancel(job.pk, "user:1")
    assert figures.depth(figures.clock())[-1][1] == 0


def test_archives_are_summed_by_day(many: list[ExportJob]) -> None:
    held, kept = figures.held(figures.clock()), [job for job in many if job.status == Status.COMPLETED]
    today = [
        job.file_size or 0 for job in kept if job.completed_at and job.completed_at.date() == max(held.by_day)
    ]
    assert (held.archives, held.size) == (len(kept), sum(job.file_size or 0 for job in kept))
    assert held.by_day[max(held.by_day)] == sum(today)


def test_durations_are_of_their_class_of_size(many: list[ExportJob]) -> None:
    took = {job: (job.processing_time or 0) / 1000 for job in many if job.completed_at}
    for found in figures.durations():
        higher = next((size for size in figures.SIZES if size > found.smallest), 10**9)
        seconds = [took[job] for job in took if found.smallest <= job.image_count < higher]
        assert found.exports == len(seconds)
        assert found.median == pytest.approx(median(seconds), abs=0.001)
        assert found.median <= found.percentile_95 <= max(seconds) + 0.001


def test_the_page_shows_the_numbers_in_tables_too(admin: Client, many: list[ExportJob]) -> None:
    page = admin.get(PAGE)
    today = Counter(job.status for job in many if job.created_at.date() == page.context["now"].date())
    row = page.content.decode().split(f'<th scope="row">{page.context["now"]:%Y-%m-%d}</th>')[1]
    cells = [int(each) for each in re.findall(r"<td>(\d+)</td>", row.split("</tr>")[0])]
    ended = [today[each] for each in (Status.COMPLETED, Status.EXPIRED, Status.FAILED, Status.CANCELLED)]
    assert cells == [*ended, today[Status.PENDING] + today[Status.PROCESSING]]


def test_every_plot_has_a_name_a_description_and_no_style(admin: Client, many: list[ExportJob]) -> None:
    page = admin.get(PAGE).content.decode()
    named = re.findall(r'<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)">', page)
    assert len(named) == 4
    for title, description in named:
        assert re.search(f'<title id="{title}">.+</title>', page)
        assert re.search(f'<desc id="{description}">.+</desc>', page)
    assert "style=" not in page.partition('<div id="content-main"')[2]


@pytest.mark.parametrize("concern", sorted(CONCERNS))
def test_a_concern_leads_to_the_exports_that_it_counts(admin: Client, concern: str) -> None:
    fill(300, days=2, users=20, projects=5)
    shown = {each.name: each for each in admin.get(PAGE).context["concerns"]}
    assert f'href="/admin/exports/exportjob/?concern={concern}"' in admin.get(PAGE).content.decode()
    listed = admin.get("/admin/exports/exportjob/", {"concern": concern}).context["cl"]
    assert shown[concern].count == listed.result_count
    assert concern == "overlong" or listed.result_count > 0


def test_the_last_pass_of_the_scheduler_is_shown(admin: Client) -> None:
    assert "none yet" in admin.get(PAGE).content.decode()
    sweep.sweep()
    assert f"{figures.clock():%Y-%m-%d}" in admin.get(PAGE).content.decode().partition("Last pass")[2][:60]


def test_an_empty_hub_says_so(admin: Client) -> None:
    page = admin.get(PAGE).content.decode()
    assert page.count("Nothing to show yet.") == 4
    assert "No worker is alive" in page


@pytest.mark.parametrize("jobs", [20, 400])
def test_the_number_of_queries_does_not_grow(admin: Client, jobs: int) -> None:
    fill(jobs, days=20, users=20, projects=5)
    with CaptureQueriesContext(connection) as asked:
        admin.get(PAGE)
    assert len(asked) == QUERIES


def plans(statements: list[str]) -> str:
    """As of a table that is too big to be read as a whole."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE exports_exportjob")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        for statement in statements:
            cursor.execute(f"EXPLAIN {statement}")
            found += [line for (line,) in cursor.fetchall()]
    return "\n".join(found)


def test_no_query_reads_the_whole_table(admin: Client, many: list[ExportJob]) -> None:
    with CaptureQueriesContext(connection) as asked:
        admin.get(PAGE)
    plan = plans([each["sql"] for each in asked if "exports_exportjob" in each["sql"]])
    assert "Seq Scan on exports_exportjob" not in plan
    for index in ("export_of_status", "export_published"):
        assert f"Index Only Scan using {index} on exports_exportjob" in plan


def test_a_worker_is_shown_with_its_export(admin: Client, job: ExportJob) -> None:
    redis = dispatch.connection()
    worker = Worker(["exports"], name="worker-one", connection=redis)
    worker.register_birth()
    assert [(hand.name, hand.job_id) for hand in crew.alive() or ()] == [("worker-one", None)]
    call = dispatch._queue().enqueue(
        "exports.jobs.build", str(job.pk), job_id=dispatch.dispatch_id(job.pk, 1)
    )
    with redis.pipeline() as started:
        Execution.create(call, 60, started, worker_name=worker.name)
        started.execute()
    assert [hand.job_id for hand in crew.alive() or ()] == [job.pk]
    assert f'href="/admin/exports/exportjob/{job.pk}/change/"' in admin.get(PAGE).content.decode()


def test_looking_at_workers_forgets_none(admin: Client) -> None:
    dispatch.connection().sadd(Worker.redis_workers_keys, "rq:worker:unheard-of")
    assert crew.alive() == ()
    assert dispatch.connection().smembers(Worker.redis_workers_keys) == {b"rq:worker:unheard-of"}


def test_a_silent_redis_costs_a_second_and_a_sentence(admin: Client, silent_redis: None) -> None:
    assert crew.alive() is None
    page = admin.get(PAGE)
    assert page.status_code == 200
    assert "Redis does not answer, so the workers cannot be seen." in page.content.decode()


def test_it_is_for_staff_who_may_see_exports(vera: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(vera)
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    User.objects.update(is_staff=True)
    assert client.get(PAGE).status_code == 403
    assert "Exports now" not in client.get("/admin/").content.decode()
    vera.user_permissions.add(Permission.objects.get(codename="view_exportjob"))
    assert client.get(PAGE).status_code == 200
    assert "Exports now" in client.get("/admin/").content.decode()


def test_it_is_only_read(admin: Client, job: ExportJob) -> None:
    before = ExportJob.objects.values().get()
    assert admin.post(PAGE, {"status": "cancelled"}).status_code == 405
    admin.get(PAGE)
    assert ExportJob.objects.values().get() == before
