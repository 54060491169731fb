"""What an administrator has done to exports: asked first, carried out by the lifecycle, reported one by one."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import many_jobs
from exports import files, handover, lifecycle
from exports.admin import acting
from exports.admin.actions import ACTIONS
from exports.models import ExportJob
from exports.states import Status
from projects.models import Membership, Project
from tests.jobs import download, request_for

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/exports/exportjob/"
WHY = "The disk is being replaced"


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def chosen(client: Client, action: str, *jobs: ExportJob, **more: str) -> Any:
    """What follows a choice in the list: the page that asks, or the list again."""
    sent = {"action": action, "index": "0", "_selected_action": [str(job.pk) for job in jobs], **more}
    return client.post(LIST, sent, follow=True)


def confirmed(client: Client, action: str, *jobs: ExportJob, **more: str) -> str:
    """What is reported when the page that asks is sent."""
    sent = {"number": str(uuid.uuid4()), "job": [str(job.pk) for job in jobs], "explanation": WHY, **more}
    return client.post(f"{LIST}act/{action}/", sent).content.decode()


def status_of(job: ExportJob) -> str:
    return ExportJob.objects.get(pk=job.pk).status


@pytest.mark.parametrize("action", ACTIONS)
def test_the_page_that_asks_does_nothing_yet(admin: Client, completed: ExportJob, action: str) -> None:
    for answer in (chosen(admin, action, completed), admin.get(f"{LIST}act/{action}/?job={completed.pk}")):
        assert str(completed.pk) in answer.content.decode()
    assert ExportJob.objects.get(pk=completed.pk).version == completed.version


def test_what_cannot_be_done_is_said_before(admin: Client, expired: ExportJob) -> None:
    for action, sentence in {
        "cancel": "This export expired already",
        "expire": "This export has no file.",
    }.items():
        found = chosen(admin, action, expired).content.decode()
        assert sentence in found
        assert 'type="submit">Yes' not in found


def test_a_cancel_says_why_in_the_audit_and_to_the_user(
    admin: Client, processing: ExportJob, client_of: Any
) -> None:
    assert "Cancelled." in confirmed(admin, "cancel", processing)
    row = processing.transitions.get(to_status=Status.CANCELLED, from_status=Status.PROCESSING)
    by = f"user:{User.objects.get(username='admin').pk}"
    assert (row.actor, row.reason, row.detail["explanation"]) == (by, "system_cancelled", WHY)
    card = client_of(processing.user).get(f"/exports/{processing.pk}/card/").content.decode()
    assert f"Cancelled by an administrator: {WHY}" in card


@pytest.mark.parametrize(
    "why", ["", "   ", "\x07\u200b", "x" * 201], ids=["empty", "blank", "unseen", "long"]
)
def test_a_cancel_without_a_reason_in_words_is_not_done(admin: Client, job: ExportJob, why: str) -> None:
    sent = {"number": str(uuid.uuid4()), "job": str(job.pk), "explanation": why}
    assert admin.post(f"{LIST}act/cancel/", sent).status_code == 422
    assert status_of(job) == Status.PENDING


def test_a_reason_is_one_line_and_no_markup(admin: Client, job: ExportJob) -> None:
    confirmed(admin, "cancel", job, explanation=" <b>first\nsecond\x1b[31m ")
    assert job.transitions.get(to_status="cancelled").detail["explanation"] == "<b>first second[31m"
    assert "<b>first" not in admin.get(f"{LIST}{job.pk}/change/").content.decode()


def test_a_cancel_sent_twice_writes_nothing_more(admin: Client, job: ExportJob) -> None:
    confirmed(admin, "cancel", job)
    before = ExportJob.objects.values().get(pk=job.pk)
    assert "Was cancelled before." in confirmed(admin, "cancel", job)
    assert ExportJob.objects.values().get(pk=job.pk) == before


def test_a_cancel_is_reported_after_its_commit_and_every_letter(
    admin: Client, completed: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []
    monkeypatch.setattr(handover, "wait_for_none", lambda job_id: waited.append(status_of(completed)))
    confirmed(admin, "cancel", completed)
    assert waited == [Status.CANCELLED]


def test_each_export_has_its_own_outcome(
    admin: Client, project: Project, completed: ExportJob, bell: object
) -> None:
    download(completed.pk, lifecycle.SYSTEM)
    waiting, _ = lifecycle.request(request_for(project, project.owner, includeOriginalImages=False))
    report = confirmed(admin, "cancel", completed, waiting)
    assert "Done: 1 of 2." in report
    assert "was downloaded already" in report
    assert (status_of(completed), status_of(waiting)) == (Status.COMPLETED, Status.CANCELLED)


def test_an_export_that_somebody_else_changes_is_reported_as_busy_and_offered_again(
    admin: Client, job: ExportJob
) -> None:
    with transaction.atomic():
        ExportJob.objects.select_for_update().get(pk=job.pk)
        reports: list[str] = []
        thread = threading.Thread(target=lambda: reports.append(_elsewhere(admin, job)))
        thread.start()
        thread.join()
    assert "being changed by somebody else" in reports[0]
    assert "Go on with the other" in reports[0]
    assert status_of(job) == Status.PENDING


def _elsewhere(client: Client, job: ExportJob) -> str:
    """By a connection of its own, which waits for the row only a moment."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return confirmed(client, "cancel", job)
    finally:
        connection.close()


def test_what_there_was_no_time_for_is_offered_again(
    admin: Client, job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "PATIENCE", -1.0)
    report = confirmed(admin, "cancel", job)
    assert "Not tried yet." in report
    assert f'name="explanation" value="{WHY}"' in report
    assert status_of(job) == Status.PENDING


def test_an_export_is_tried_again_for_its_own_user(admin: Client, failed: ExportJob) -> None:
    report = confirmed(admin, "retry", failed)
    again = ExportJob.objects.get(retry_of=failed)
    assert str(again.pk) in report
    assert (again.user_id, again.options, again.project_name) == (
        failed.user_id,
        failed.options,
        failed.project_name,
    )
    assert again.transitions.get().actor == f"user:{User.objects.get(username='admin').pk}"


def test_the_same_page_sent_twice_starts_one_export(admin: Client, failed: ExportJob) -> None:
    number = str(uuid.uuid4())
    confirmed(admin, "retry", failed, number=number)
    again = ExportJob.objects.get(retry_of=failed)
    lifecycle.cancel(again.pk, "user:1")
    assert "Was started again before." in confirmed(admin, "retry", failed, number=number)
    assert ExportJob.objects.filter(retry_of=failed).count() == 1


def test_an_export_is_not_tried_again_for_a_user_who_lost_the_right(
    admin: Client, project: Project, bob: User, bell: object
) -> None:
    job, _ = lifecycle.request(request_for(project, bob))
    lifecycle.cancel(job.pk, "user:1")
    Membership.objects.filter(user=bob).delete()
    said = "Its user may no longer export this project."
    assert said in chosen(admin, "retry", job).content.decode()
    assert said in confirmed(admin, "retry", job)
    assert not ExportJob.objects.filter(retry_of=job).exists()


def test_a_users_limit_holds_for_an_administrator_too(
    admin: Client, failed: ExportJob, settings: Any
) -> None:
    settings.EXPORT_MAX_ACTIVE_PER_USER = 0
    assert "Its user has as many exports running" in confirmed(admin, "retry", failed)


def test_a_file_is_deleted_by_the_lifecycle(admin: Client, completed: ExportJob) -> None:
    assert "File deleted." in confirmed(admin, "expire", completed)
    assert status_of(completed) == Status.EXPIRED
    assert "This export has no file." in confirmed(admin, "expire", completed)


def test_cleaning_up_confirms_what_is_gone(admin: Client, cancelled: ExportJob) -> None:
    assert ExportJob.objects.get(pk=cancelled.pk).cleaned_at is None
    assert "Nothing of it is left on disk" in confirmed(admin, "clean", cancelled)
    assert cancelled.transitions.get(reason="cleaned").actor.startswith("user:")


def test_cleaning_up_touches_no_export_with_a_file(admin: Client, completed: ExportJob) -> None:
    assert "Only an export that has ended" in confirmed(admin, "clean", completed)
    assert files.of_job(completed.pk) != []


def test_what_is_still_in_use_is_not_called_clean(
    admin: Client, cancelled: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "remove", lambda path: 0)
    with files.staging(cancelled.pk, 1):
        assert "still in use" in confirmed(admin, "clean", cancelled)
    assert ExportJob.objects.get(pk=cancelled.pk).cleaned_at is None


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_has_a_permission_of_its_own(completed: ExportJob, action: str) -> None:
    others = [each for each in ("view", *ACTIONS) if each != action]
    watcher = User.objects.create_user("watcher", is_staff=True)
    names = [f"{each}_exportjob" for each in others]
    watcher.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(watcher)
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    assert chosen(client, action, completed).redirect_chain != []
    assert client.get(f"{LIST}act/{action}/?job={completed.pk}").status_code == 403
    assert client.post(f"{LIST}act/{action}/", {"job": str(completed.pk)}).status_code == 403


def test_an_action_without_its_token_is_refused(completed: ExportJob) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admin"))
    assert client.post(f"{LIST}act/expire/", {"job": str(completed.pk)}).status_code == 403


def test_too_many_at_once_are_refused_with_a_sentence(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "LISTED", 3)
    many_jobs.fill(5, users=50, projects=5)
    jobs = list(ExportJob.objects.all())
    for answer in (
        chosen(admin, "cancel", *jobs),
        chosen(admin, "cancel", jobs[0], select_across="1"),
    ):
        assert "At most 3 exports at a time." in answer.content.decode()
    assert str(jobs[2].pk) in chosen(admin, "clean", *jobs[:3]).content.decode()


def test_all_that_the_filter_finds_can_be_chosen(admin: Client, job: ExportJob, failed: ExportJob) -> None:
    sent = {"action": "retry", "index": "0", "_selected_action": str(job.pk), "select_across": "1"}
    found = admin.post(f"{LIST}?status=failed", sent).content.decode()
    assert str(failed.pk) in found


def test_junk_is_answered_calmly(admin: Client, completed: ExportJob) -> None:
    act = f"{LIST}act/expire/"
    assert admin.post(LIST, {"action": "expire", "index": "0", "_selected_action": "junk"}).status_code == 400
    assert admin.post(act, {"job": "junk"}).status_code == 400
    assert admin.post(act, {"job": str(completed.pk), "number": "junk"}).status_code == 422
    assert admin.get(act).status_code == 404
    assert admin.get(f"{LIST}act/explode/?job={completed.pk}").status_code == 404
    assert status_of(completed) == Status.COMPLETED


def test_a_page_that_asks_for_many_asks_the_database_little(admin: Client) -> None:
    many_jobs.fill(60, users=50, projects=5)
    counts = []
    for some in (ExportJob.objects.all()[:2], ExportJob.objects.all()[:60]):
        with CaptureQueriesContext(connection) as asked:
            admin.get(f"{LIST}act/retry/?{'&'.join(f'job={job.pk}' for job in some)}")
        counts.append(len(asked))
    assert counts[0] == counts[1]
