"""What the admin does to projects and accounts, and what becomes of their exports."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from exports import sweep
from exports.models import ExportJob
from projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)
PROJECTS, USERS = "/admin/projects/project/", "/admin/auth/user/"


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def act(client: Client, action: str, project: Project) -> str:
    chosen = {"action": action, "_selected_action": [str(project.pk)]}
    return client.post(PROJECTS, chosen, follow=True).content.decode()


def test_a_removed_project_is_nobodys(admin: Client, job: ExportJob, alice: User) -> None:
    act(admin, "remove_selected", job.project)
    assert not Project.objects.visible_to(alice).exists()
    assert not ExportJob.objects.visible_to(alice).exists()
    sweep.sweep()
    assert ExportJob.objects.get(pk=job.pk).cancel_reason == "system_cancelled"


def test_a_removed_project_can_be_restored(admin: Client, project: Project, alice: User) -> None:
    act(admin, "remove_selected", project)
    assert "Projects restored: 1" in act(admin, "restore_selected", project)
    assert Project.objects.visible_to(alice).get() == project


def test_removing_needs_the_right_to(project: Project, vera: User) -> None:
    vera.is_staff = True
    vera.save()
    vera.user_permissions.add(Permission.objects.get(codename="view_project"))
    client = Client()
    client.force_login(vera)
    act(client, "remove_selected", project)
    assert Project.objects.present().filter(pk=project.pk).exists()


def test_a_deleted_account_is_closed(admin: Client, job: ExportJob, alice: User) -> None:
    page = admin.get(f"{USERS}{alice.pk}/delete/").content.decode()
    assert "its running exports are cancelled" in page
    admin.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    alice.refresh_from_db()
    assert (alice.username, alice.is_active, alice.has_usable_password()) == (
        f"closed-{alice.pk}",
        False,
        False,
    )
    sweep.sweep()
    assert ExportJob.objects.get(pk=job.pk).cancel_reason == "system_cancelled"


def test_many_accounts_are_closed_at_once(admin: Client, alice: User, bob: User) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk], "post": "yes"}
    admin.post(USERS, chosen)
    assert set(User.objects.filter(is_active=False)) == {alice, bob}


def test_a_closed_account_lets_nobody_in(admin: Client, alice: User, project: Project) -> None:
    client = Client()
    client.force_login(alice)
    admin.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    assert client.get(f"/api/projects/{project.pk}").status_code == 401
