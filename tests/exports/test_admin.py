from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from exports import lifecycle
from exports.models import ApiToken, ExportJob
from exports.states import Status
from tests.jobs import download

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/exports/exportjob/"


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def cancel(client: Client, *jobs: ExportJob) -> str:
    chosen = {"action": "cancel_selected", "_selected_action": [str(job.pk) for job in jobs]}
    return client.post(LIST, chosen, follow=True).content.decode()


@pytest.mark.parametrize(
    "name", ["exports/exportjob", "exports/apitoken", "projects/project", "projects/image"]
)
def test_the_lists_can_be_looked_at(admin: Client, completed: ExportJob, name: str) -> None:
    assert admin.get(f"/admin/{name}/").status_code == 200


def test_a_job_can_be_looked_at_with_its_audit(admin: Client, completed: ExportJob) -> None:
    page = admin.get(f"{LIST}{completed.pk}/change/").content.decode()
    assert "requested" in page
    assert "claimed" in page


def test_nothing_can_be_changed_added_or_deleted(admin: Client, completed: ExportJob) -> None:
    addresses = (f"{LIST}{completed.pk}/change/", f"{LIST}{completed.pk}/delete/", f"{LIST}add/")
    assert [admin.post(url, {"status": "failed"}).status_code for url in addresses] == [403, 403, 403]
    assert ExportJob.objects.get(pk=completed.pk).version == completed.version


def test_cancelling_goes_through_the_lifecycle(admin: Client, job: ExportJob) -> None:
    cancel(admin, job)
    row = job.transitions.get(to_status=Status.CANCELLED)
    assert (row.actor, row.reason) == (f"user:{User.objects.get(username='admin').pk}", "system_cancelled")


def test_what_cannot_be_cancelled_is_named(admin: Client, completed: ExportJob) -> None:
    download(completed.pk, lifecycle.SYSTEM)
    assert "downloaded already" in cancel(admin, completed)
    assert ExportJob.objects.get(pk=completed.pk).status == Status.COMPLETED


def test_a_member_of_staff_who_may_only_look_cannot_cancel(job: ExportJob) -> None:
    watcher = User.objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_exportjob"))
    client = Client()
    client.force_login(watcher)
    cancel(client, job)
    assert ExportJob.objects.get(pk=job.pk).status == Status.PENDING


def test_a_key_can_be_taken_away(admin: Client, alice: User) -> None:
    key = ApiToken.objects.create(user=alice, digest="0" * 64)
    admin.post(f"/admin/exports/apitoken/{key.pk}/delete/", {"post": "yes"})
    assert not ApiToken.objects.exists()


def test_the_digest_of_a_key_is_not_shown(admin: Client, alice: User) -> None:
    key = ApiToken.objects.create(user=alice, digest="0" * 64)
    assert "0" * 64 not in admin.get(f"/admin/exports/apitoken/{key.pk}/change/").content.decode()
