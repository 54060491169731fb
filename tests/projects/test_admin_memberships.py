"""Who administers memberships, what they are told, and what becomes of exports."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exports import lifecycle, sweep
from exports.models import ExportJob
from projects.admin import memberships
from projects.admin.reading import FirstOnes
from projects.models import Membership, Project, Role
from tests.jobs import request_for
from tests.projects.test_admin import staff

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/projects/membership/"
QUERIES = 4


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client


def add(client: Client, project: Project, user: User, role: str = "viewer") -> tuple[int, str]:
    page = client.post(f"{LIST}add/", {"project": str(project.pk), "user": user.pk, "role": role})
    return page.status_code, page.content.decode()


def of(user: User) -> str:
    return f"{LIST}{Membership.objects.get(user=user).pk}/"


def test_a_member_is_added_changed_and_removed_and_each_is_logged(
    admin: Client, project: Project, mallory: User
) -> None:
    assert add(admin, project, mallory, "exporter")[0] == 302
    assert Project.objects.exportable_by(mallory).get() == project
    admin.post(f"{of(mallory)}change/", {"role": "viewer"})
    assert Membership.objects.get(user=mallory).role == Role.VIEWER
    admin.post(f"{of(mallory)}delete/", {"post": "yes"})
    assert not Project.objects.visible_to(mallory).exists()
    flags = LogEntry.objects.order_by("pk").values_list("action_flag", flat=True)
    assert list(flags) == [ADDITION, CHANGE, DELETION]


def test_a_second_membership_is_refused_in_a_sentence(admin: Client, project: Project, bob: User) -> None:
    status, page = add(admin, project, bob)
    assert (status, Membership.objects.filter(user=bob).count()) == (200, 1)
    assert "bob is a member of Nuclei already." in page


def test_the_owner_needs_no_membership(admin: Client, project: Project, alice: User) -> None:
    assert "alice owns Nuclei and may do everything in it." in add(admin, project, alice)[1]


def test_a_closed_account_becomes_no_member(admin: Client, project: Project, mallory: User) -> None:
    User.objects.filter(pk=mallory.pk).update(is_active=False)
    assert "The account of mallory is closed." in add(admin, project, mallory)[1]


def test_two_who_add_the_same_member_are_not_met_by_an_error(
    admin: Client, project: Project, mallory: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's row comes after the form was found valid."""
    monkeypatch.setattr(
        memberships.MembershipForm,
        "_post_clean",
        lambda form: [
            super(memberships.MembershipForm, form)._post_clean(),
            Membership.objects.bulk_create([Membership(project=project, user=mallory)]),
        ],
    )
    assert add(admin, project, mallory, "editor")[0] == 302
    assert "Somebody else has just made this membership" in admin.get(LIST).content.decode()


def test_an_unknown_role_is_refused(admin: Client, project: Project, mallory: User) -> None:
    assert add(admin, project, mallory, "owner")[0] == 200
    assert not Membership.objects.filter(user=mallory).exists()


def test_a_membership_stays_of_its_person_and_project(
    admin: Client, project: Project, bob: User, vera: User
) -> None:
    admin.post(f"{of(bob)}change/", {"role": "viewer", "user": vera.pk, "project": ""})
    membership = Membership.objects.get(user=bob)
    assert (membership.role, membership.project) == (Role.VIEWER, project)


def test_who_is_removed_loses_the_running_export(admin: Client, project: Project, bob: User) -> None:
    job, _ = lifecycle.request(request_for(project, bob))
    page = admin.get(f"{of(bob)}delete/").content.decode()
    assert "their running exports of it are cancelled within 15 seconds" in page
    admin.post(f"{of(bob)}delete/", {"post": "yes"})
    sweep.sweep()
    assert ExportJob.objects.get(pk=job.pk).cancel_reason == "system_cancelled"


def test_many_are_removed_at_once(admin: Client, project: Project, bob: User, vera: User) -> None:
    keys = list(Membership.objects.values_list("pk", flat=True))
    chosen = {"action": "delete_selected", "_selected_action": keys}
    page = admin.post(LIST, chosen).content.decode()
    assert "bob no longer sees Nuclei" in page
    assert "vera no longer sees Nuclei" in page
    admin.post(LIST, {**chosen, "post": "yes"})
    assert not Membership.objects.exists()


def test_looking_is_not_changing(project: Project, bob: User, vera: User, mallory: User) -> None:
    client = staff(vera, "view_membership", "view_project", "view_user")
    assert client.get(LIST).status_code == 200
    assert add(client, project, mallory)[0] == 403
    assert client.post(f"{of(bob)}change/", {"role": "viewer"}).status_code == 403
    assert client.post(f"{of(bob)}delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/projects/project/{project.pk}/change/").status_code == 200
    assert Membership.objects.get(user=bob).role == Role.EXPORTER


def test_people_and_projects_are_found_while_typing(admin: Client, project: Project, bob: User) -> None:
    asked = {"app_label": "projects", "model_name": "membership"}
    people = admin.get("/admin/autocomplete/", {**asked, "field_name": "user", "term": "bo"}).json()
    places = admin.get("/admin/autocomplete/", {**asked, "field_name": "project", "term": "nucl"}).json()
    assert [each["text"] for each in people["results"]] == ["bob"]
    assert [each["text"] for each in places["results"]] == ["Nuclei"]


@pytest.mark.parametrize(("word", "found"), [("bob", 1), ("nucl", 2), ("nobody", 0), ("%", 0)])
def test_members_are_found_by_person_and_by_project(
    admin: Client, project: Project, word: str, found: int
) -> None:
    assert admin.get(LIST, {"q": word}).context["cl"].result_count == found
    assert admin.get(LIST, {"project__id__exact": str(project.pk)}).context["cl"].result_count == 2


@pytest.mark.parametrize("members", [1, 40])
def test_the_list_takes_the_same_queries(admin: Client, project: Project, members: int) -> None:
    people = User.objects.bulk_create(User(username=f"person-{n}") for n in range(members))
    Membership.objects.bulk_create(Membership(project=project, user=user) for user in people)
    with CaptureQueriesContext(connection) as asked:
        admin.get(LIST)
    assert len(asked) == QUERIES


def test_only_the_first_ones_are_counted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.admin.reading.LISTED", 1)
    assert FirstOnes(Membership.objects.order_by("pk"), 10).count == 1
