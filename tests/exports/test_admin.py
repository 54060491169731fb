"""The list of exports and one export's page."""

from __future__ import annotations

import re
import socket
import time
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import administration, many_jobs
from exports import calls, dispatch, files, lifecycle
from exports.admin import job_page, paging, searching
from exports.admin.filters import CONCERNS
from exports.models import ExportJob
from projects.models import Project
from tests.jobs import download, request_for

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/exports/exportjob/"


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def listed(client: Client, query: str = "") -> str:
    answer = client.get(f"{LIST}{query}")
    assert answer.status_code == 200, answer
    return answer.content.decode()


def page(client: Client, job: ExportJob) -> str:
    return client.get(f"{LIST}{job.pk}/change/").content.decode()


def is_listed(client: Client, job: ExportJob, query: str) -> bool:
    return f"{LIST}{job.pk}/change/" in listed(client, query)


def test_the_list_links_export_project_and_user(admin: Client, completed: ExportJob) -> None:
    found = listed(admin)
    for address in (
        f"{LIST}{completed.pk}/change/",
        f"/admin/projects/project/{completed.project_id}/change/",
        f"/admin/auth/user/{completed.user_id}/change/",
    ):
        assert f'href="{address}"' in found


FOUND = {
    "status=completed": True,
    "status=failed": False,
    "status=nonsense": True,
    "concern=stuck": False,
    "cancel_reason=timeout": False,
    "error_code=worker_lost": False,
    "user=alice": True,
    "user=ali": True,
    "user=bob": False,
    "user=nobody": False,
    "project=Nucl": True,
    "project=Neurons": False,
    "age=today": True,
    "age=week": True,
    "age=month": True,
    "age=older": False,
    "until=2020-01-31": False,
    "until=2020-01-31T12:00:00Z": False,
    "until=nonsense": True,
    "until=9999-12-31": True,
    "q=alice": True,
    "q=uclei": True,
    "q=zzz": False,
    "q=%00": True,
}


def test_the_list_is_filtered_and_searched(admin: Client, completed: ExportJob) -> None:
    assert {query: is_listed(admin, completed, f"?{query}") for query in FOUND} == FOUND


def test_an_export_is_found_by_its_id_its_beginning_and_its_projects_id(
    admin: Client, completed: ExportJob
) -> None:
    for word in (str(completed.pk), str(completed.pk)[:8], completed.pk.hex[:5].upper()):
        assert is_listed(admin, completed, f"?q={word}")
    assert is_listed(admin, completed, f"?project={completed.project_id}")


def test_an_id_is_not_looked_for_by_a_beginning_that_many_have() -> None:
    assert searching.of_job("abc") is None


def test_no_other_column_can_be_asked_for(admin: Client) -> None:
    lookups = ("message__icontains=x", "user__password__startswith=p", "options__contains=1")
    assert [admin.get(f"{LIST}?{lookup}").status_code for lookup in lookups] == [400, 400, 400]


WORRIES = {
    "stuck": "status = 'cancelled' AND cleaned_at IS NULL",
    "abandoned": "status = 'processing' AND heartbeat_at < now() - interval '30 seconds'",
    "forgotten": "status = 'pending' AND (rung_at IS NULL OR rung_at < now() - interval '5 minutes')",
    "overlong": "status = 'processing' AND started_at < now() - interval '4 hours'",
}


def test_what_needs_a_look_is_found_by_its_filter(admin: Client) -> None:
    many_jobs.fill(300, users=50, projects=5)
    for concern in CONCERNS:
        wanted = ExportJob.objects.extra(where=[WORRIES[concern]]).values_list("pk", flat=True)
        assert set(keys(admin, f"?concern={concern}")) == {str(key) for key in wanted} != set()


def keys(client: Client, query: str = "") -> list[str]:
    return re.findall(rf"{LIST}([0-9a-f-]{{36}})/change/", listed(client, query))


def test_the_order_of_the_list_cannot_be_changed(admin: Client) -> None:
    """An order that no index has would sort millions."""
    many_jobs.fill(60, users=50, projects=5)
    assert keys(admin, "?o=6.-7") == keys(admin)


def test_the_list_is_paged_to_a_bound_and_goes_on_from_there(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "LISTED", 200)
    many_jobs.fill(450, users=50, projects=5)
    seen, following = set(), "?"
    while following:
        seen |= {*keys(admin, following), *keys(admin, f"{following}&p=2")}
        following = changes(admin, f"{following}&p=2").older
    assert len(seen) == 450


def test_a_page_that_is_not_there_leads_to_the_list(admin: Client, completed: ExportJob) -> None:
    for number in ("2", "0", "-1", "999999999999999999999"):
        assert admin.get(f"{LIST}?p={number}").status_code in (200, 302)


def changes(client: Client, query: str) -> Any:
    return client.get(f"{LIST}{query}").context["cl"]


# Of any page, whatever it lists: session, user, count, rows; and one for each word that has to be understood.
MOST_QUERIES = 6


def test_no_page_of_the_list_reads_the_whole_table_or_asks_more(admin: Client) -> None:
    many_jobs.fill(2_100, users=100, projects=20)
    for name, address in administration.pages():
        if f"{LIST}?" in address or address == LIST:
            asked = queries(admin, address)
            assert len(asked) <= MOST_QUERIES, name
            of_jobs = [sql for sql in asked if 'FROM "exports_exportjob"' in sql]
            assert [sql for sql in of_jobs if "COUNT(" in sql and " LIMIT " not in sql] == [], name
            assert [step for sql in of_jobs for step in whole_reads(sql, name in ORDERED)] == [], name


def queries(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return [each["sql"] for each in asked]


# An index has their rows in the order of the list; the others sort the few that a narrower index finds.
ORDERED = {
    name
    for name in administration.QUERIES
    if re.match("list|page|last|before|status processing|age|cancel|error", name)
}


def whole_reads(sql: str, is_ordered: bool) -> list[str]:
    """Steps of its plan for a table so long that it is not read whole while there is any other way."""
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ("seqscan", *(("sort", "bitmapscan") if is_ordered else ())):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
        plan = [line for (line,) in cursor.fetchall()]
    wrong = ("Seq Scan on exports_exportjob", *(("Sort ", "Filter:") if is_ordered else ()))
    return [line for line in plan if any(each in line for each in wrong)]


def test_one_exports_page_asks_as_much_for_a_long_audit(admin: Client, completed: ExportJob) -> None:
    address = f"{LIST}{completed.pk}/change/"
    before = len(queries(admin, address))
    for _ in range(5):
        download(completed.pk, f"user:{completed.user_id}")
    assert len(queries(admin, address)) == before


def test_the_page_tells_what_happened_with_who_and_which_event(admin: Client, completed: ExportJob) -> None:
    found = page(admin, completed)
    for words in (
        "Asked for",
        "alice",
        "A worker began to build it",
        "export:started",
        "export:completed",
        "built",
    ):
        assert words in found


def test_a_long_audit_is_told_from_its_end(
    admin: Client, completed: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.admin.timeline.TOLD", 2)
    found = page(admin, completed)
    assert "1 earlier entry is not shown." in found
    assert "Asked for" not in found


def test_files_are_compared_with_the_export(admin: Client, completed: ExportJob) -> None:
    assert "As the export says." in page(admin, completed)
    (path,) = files.of_job(completed.pk)
    path.write_bytes(b"cut short")
    assert "Not the size" in page(admin, completed)
    path.unlink()
    assert "Missing" in page(admin, completed)


def test_no_page_says_where_files_lie(admin: Client, completed: ExportJob, settings: Any) -> None:
    assert str(settings.EXPORT_ROOT) not in page(admin, completed)
    assert str(settings.DATA_DIR) not in page(admin, completed)


def test_a_file_that_no_attempt_writes_is_left_over(admin: Client, processing: ExportJob) -> None:
    with files.staging(processing.pk, 1), files.staging(processing.pk, 7):
        found = page(admin, processing)
    assert "Being written." in found
    assert "Left over" in found


def test_what_the_queue_knows_is_shown(admin: Client, project: Project) -> None:
    job, _ = lifecycle.request(request_for(project, project.owner))
    found = page(admin, job)
    assert dispatch.dispatch_id(job.pk, 1) in found
    assert "<td>queued</td>" in found


def test_without_redis_the_page_says_so_at_once(admin: Client, completed: ExportJob, settings: Any) -> None:
    calls._connection.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        found = calls_shown(completed)
    calls._connection.cache_clear()
    assert found["redis_away"]
    assert time.monotonic() - began < 1


def calls_shown(job: ExportJob) -> dict[str, Any]:
    return job_page.of(job, AnonymousUser())


def test_a_selection_of_many_images_is_told_by_its_length(completed: ExportJob) -> None:
    completed.options["selectedImageIds"] = [str(number) for number in range(100)]
    options = job_page.of(completed, AnonymousUser())["options"]
    assert "80 more" in options
    assert '"21"' not in options


def test_nothing_can_be_changed_added_or_deleted(admin: Client, completed: ExportJob) -> None:
    for path in (f"{LIST}{completed.pk}/change/", f"{LIST}{completed.pk}/delete/", f"{LIST}add/"):
        for method in (admin.post, admin.put, admin.patch, admin.delete):
            assert method(path, {"status": "failed"}).status_code == 403
    assert ExportJob.objects.get(pk=completed.pk).version == completed.version


def test_an_export_that_is_not_there_leads_to_the_front_page(admin: Client, project: Project) -> None:
    for key in (project.pk, "junk"):
        assert admin.get(f"{LIST}{key}/change/").status_code == 302
