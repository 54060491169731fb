"""What the admin does to projects and accounts, and what becomes of their exports."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exports import sweep
from exports.models import ExportJob
from projects.admin import removal
from projects.models import Image, Membership, Project

pytestmark = pytest.mark.django_db(transaction=True)
PROJECTS, USERS = "/admin/projects/project/", "/admin/auth/user/"
LIST_QUERIES, PAGE_QUERIES = 7, 8


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def act(client: Client, action: str, *projects: Project, **more: str) -> HttpResponse:
    chosen = {"action": action, "_selected_action": [str(project.pk) for project in projects]}
    return client.post(PROJECTS, {**chosen, **more})


def confirm(client: Client, action: str, *projects: Project) -> str:
    return act(client, action, *projects, confirmed="yes").content.decode()


def staff(user: User, *rights: str) -> Client:
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def test_a_removed_project_is_nobodys(admin: Client, job: ExportJob, alice: User) -> None:
    confirm(admin, "remove_selected", job.project)
    assert not Project.objects.visible_to(alice).exists()
    assert not ExportJob.objects.visible_to(alice).exists()
    sweep.sweep()
    assert ExportJob.objects.get(pk=job.pk).cancel_reason == "system_cancelled"


def test_removing_asks_first_and_says_what_ends(admin: Client, job: ExportJob) -> None:
    page = act(admin, "remove_selected", job.project).content.decode()
    assert "Their running exports are cancelled, and their archives deleted, within 15 seconds." in page
    row = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "Nuclei" in row
    assert re.findall(r"<td>(.+)</td>", row) == ["alice", "no", "1"]
    assert Project.objects.present().filter(pk=job.project_id).exists()


def test_a_removed_project_can_be_restored(admin: Client, project: Project, alice: User) -> None:
    confirm(admin, "remove_selected", project)
    confirm(admin, "restore_selected", project)
    assert Project.objects.visible_to(alice).get() == project


def test_each_project_has_its_line_in_the_report(admin: Client, project: Project, alice: User) -> None:
    gone = Project.objects.create(name="Gone", owner=alice, removed_at=timezone.now())
    report = confirm(admin, "remove_selected", project, gone)
    outcomes = re.findall(r">([^<]+)</a></th><td>([^<]+)<", report)
    assert outcomes == [("Gone", "Was removed already"), ("Nuclei", "Removed")]
    assert [(entry.object_id, entry.change_message) for entry in LogEntry.objects.all()] == [
        (str(project.pk), "Removed")
    ]


def test_a_second_confirmation_changes_nothing(admin: Client, project: Project) -> None:
    confirm(admin, "remove_selected", project)
    before = Project.objects.get().removed_at
    assert "Was removed already" in confirm(admin, "remove_selected", project)
    assert Project.objects.get().removed_at == before


def test_removing_needs_the_right_to(project: Project, vera: User) -> None:
    client = staff(vera, "view_project")
    confirm(client, "remove_selected", project)
    assert Project.objects.present().filter(pk=project.pk).exists()
    assert "Remove this project" not in client.get(f"{PROJECTS}{project.pk}/change/").content.decode()


def test_too_many_at_once_are_refused(
    admin: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "MOST", 0)
    page = act(admin, "remove_selected", project, confirmed="yes")
    assert page.status_code == 302
    assert Project.objects.present().filter(pk=project.pk).exists()


def test_the_list_counts_what_is_in_each_project(admin: Client, job: ExportJob) -> None:
    page = admin.get(PROJECTS).content.decode()
    for column, count in (("image_count", 3), ("member_count", 2), ("active_exports", 1)):
        assert f'<td class="field-{column}">{count}</td>' in page


@pytest.mark.parametrize("projects", [1, 30])
def test_the_list_of_projects_takes_the_same_queries(admin: Client, alice: User, projects: int) -> None:
    Project.objects.bulk_create(Project(name=f"Plate {n}", owner=alice) for n in range(projects))
    with CaptureQueriesContext(connection) as asked:
        assert admin.get(PROJECTS).status_code == 200
    assert len(asked) == LIST_QUERIES


@pytest.mark.parametrize("members", [1, 30])
def test_the_page_of_a_project_takes_the_same_queries(admin: Client, alice: User, members: int) -> None:
    project = Project.objects.create(name="Plate", owner=alice)
    people = User.objects.bulk_create(User(username=f"person-{n}") for n in range(members))
    Membership.objects.bulk_create(Membership(project=project, user=user) for user in people)
    with CaptureQueriesContext(connection) as asked:
        page = admin.get(f"{PROJECTS}{project.pk}/change/").content.decode()
    assert len(asked) == PAGE_QUERIES
    assert page.count("Change the role of person-") == members


def test_nothing_of_a_project_or_image_is_editable(admin: Client, project: Project) -> None:
    before = list(Project.objects.values()), list(Image.objects.values())
    image = project.images.first()
    for path in (f"{PROJECTS}{project.pk}/", f"/admin/projects/image/{image and image.pk}/"):
        assert admin.get(f"{path}change/").status_code == 200
        assert admin.post(f"{path}change/", {"name": "Mine", "owner": 1}).status_code == 403
        assert admin.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{PROJECTS}add/", {"name": "Mine"}).status_code == 403
    assert (list(Project.objects.values()), list(Image.objects.values())) == before


@pytest.mark.parametrize("word", ["nuclei", "alice", "no-uuid", "%", "0f0f"])
def test_any_word_can_be_searched_for(admin: Client, project: Project, word: str) -> None:
    found = admin.get(PROJECTS, {"q": word}).context["cl"].result_count
    assert found == (word in ("nuclei", "alice"))
    assert admin.get(PROJECTS, {"q": str(project.pk)}).context["cl"].result_count == 1


def test_an_unknown_project_has_no_page(admin: Client) -> None:
    assert admin.get(f"{PROJECTS}nonsense/change/").status_code == 302


def test_a_deleted_account_is_closed(admin: Client, job: ExportJob, alice: User) -> None:
    page = admin.get(f"{USERS}{alice.pk}/delete/").content.decode()
    assert "their running exports are cancelled" in page
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
