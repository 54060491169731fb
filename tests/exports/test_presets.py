"""Options kept under a name, over the API: whose they are, who may change them, one name for one preset."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exports.models import Preset
from exports.options import parse
from projects.models import Project
from tests.calling import call, client_for, exports_url

pytestmark = pytest.mark.django_db(transaction=True)

CSV = {"metricsFormats": ["csv"]}


def presets_of(user: User, project: Project) -> list[dict[str, Any]]:
    return list(call(user, "GET", f"{exports_url(project.pk)}/presets").json()["presets"])


def save(user: User, project: Project, name: str, *, shared: bool = False, **options: Any) -> Any:
    body = {"name": name, "shared": shared, "options": options or CSV}
    return call(user, "POST", f"{exports_url(project.pk)}/presets", body)


def on(user: User, project: Project, method: str, preset_id: object, body: object = None) -> Any:
    return call(user, method, f"{exports_url(project.pk)}/presets/{preset_id}", body)


def test_a_preset_keeps_the_choices_without_the_selection(alice: User, project: Project) -> None:
    answer = save(alice, project, "  For  Excel ", selectedImageIds=[str(uuid.uuid4())], **CSV)
    assert answer.status_code == 201
    [kept] = presets_of(alice, project)
    assert kept == answer.json()
    assert kept["options"] == parse(CSV).as_json()
    assert (kept["name"], kept["shared"], kept["mine"], kept["changeable"], kept["by"]) == (
        "For Excel", False, True, True, "alice",
    )  # fmt: skip


def test_ones_own_come_first_then_the_projects(alice: User, bob: User, project: Project) -> None:
    for user, name, shared in ((alice, "b", True), (bob, "z", False), (bob, "y", False), (bob, "a", True)):
        save(user, project, name, shared=shared)
    assert [each["name"] for each in presets_of(bob, project)] == ["y", "z", "a", "b"]
    assert [each["changeable"] for each in presets_of(bob, project)] == [True, True, True, False]


def test_ones_own_are_offered_in_every_project_and_to_nobody_else(
    alice: User, bob: User, project: Project
) -> None:
    save(bob, project, "mine")
    other = Project.objects.create(name="Other", owner=bob)
    assert [each["name"] for each in presets_of(bob, other)] == ["mine"]
    assert presets_of(alice, project) == []


def test_a_shared_preset_is_offered_in_its_project_alone(alice: User, bob: User, project: Project) -> None:
    save(alice, project, "ours", shared=True)
    other = Project.objects.create(name="Other", owner=alice)
    assert [(each["name"], each["by"]) for each in presets_of(bob, project)] == [("ours", "alice")]
    assert presets_of(alice, other) == []


def test_a_viewer_has_no_presets(vera: User, project: Project) -> None:
    refused = call(vera, "GET", f"{exports_url(project.pk)}/presets")
    assert (refused.status_code, refused.json()["code"]) == (403, "export_not_allowed")
    assert save(vera, project, "mine").status_code == 403
    assert not Preset.objects.exists()


def test_nothing_is_offered_to_who_may_not_export(
    alice: User, vera: User, mallory: User, project: Project
) -> None:
    save(alice, project, "ours", shared=True)
    assert [Preset.objects.offered_to(user, project).count() for user in (alice, vera, mallory)] == [1, 0, 0]


def test_a_preset_is_replaced_as_a_whole(alice: User, project: Project) -> None:
    made = save(alice, project, "old").json()
    body = {"name": "new", "shared": True, "options": {"includeDocumentation": False}}
    answer = on(alice, project, "PUT", made["id"], body)
    assert answer.status_code == 200
    assert presets_of(alice, project) == [answer.json()]
    assert (answer.json()["name"], answer.json()["shared"]) == ("new", True)
    assert answer.json()["options"] == parse(body["options"]).as_json()
    assert answer.json()["changedAt"] > made["changedAt"]


def test_a_preset_is_deleted(alice: User, project: Project) -> None:
    made = save(alice, project, "old").json()
    assert on(alice, project, "DELETE", made["id"]).status_code == 204
    assert presets_of(alice, project) == []
    assert on(alice, project, "DELETE", made["id"]).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("shared", [True, False])
def test_the_presets_of_others_cannot_be_changed(
    alice: User, bob: User, project: Project, method: str, shared: bool
) -> None:
    made = save(alice, project, "hers", shared=shared).json()
    body = {"name": "mine", "options": CSV, "shared": True}
    assert on(bob, project, method, made["id"], body).status_code == 404
    assert Preset.objects.get().name == "hers"


def test_a_projects_owner_changes_what_others_share_but_does_not_hide_it(
    alice: User, bob: User, project: Project
) -> None:
    made = save(bob, project, "his", shared=True).json()
    body = {"name": "ours", "options": CSV, "shared": True}
    assert on(alice, project, "PUT", made["id"], body).json()["by"] == "bob"
    refused = on(alice, project, "PUT", made["id"], body | {"shared": False})
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["shared"])
    assert on(alice, project, "DELETE", made["id"]).status_code == 204


def test_a_shared_preset_is_not_found_through_another_project(alice: User, project: Project) -> None:
    made = save(alice, project, "ours", shared=True).json()
    other = Project.objects.create(name="Other", owner=alice)
    assert on(alice, other, "DELETE", made["id"]).status_code == 404


def test_who_lost_the_project_lost_its_presets(alice: User, bob: User, project: Project) -> None:
    made = save(bob, project, "his", shared=True).json()
    project.memberships.filter(user=bob).delete()
    assert on(bob, project, "DELETE", made["id"]).status_code == 404
    assert [each["name"] for each in presets_of(alice, project)] == ["his"]


@pytest.mark.parametrize("shared", [True, False])
def test_a_name_is_taken_once_whatever_its_case(alice: User, project: Project, shared: bool) -> None:
    save(alice, project, "Excel", shared=shared)
    refused = save(alice, project, "EXCEL", shared=shared)
    assert (refused.status_code, refused.json()["code"]) == (409, "preset_name_taken")
    assert "already" in refused.json()["detail"]
    assert save(alice, project, "excel", shared=not shared).status_code == 201


def test_a_replaced_preset_cannot_take_anothers_name(alice: User, project: Project) -> None:
    save(alice, project, "one")
    made = save(alice, project, "two").json()
    body = {"name": "One", "options": CSV}
    assert on(alice, project, "PUT", made["id"], body).json()["code"] == "preset_name_taken"
    assert on(alice, project, "PUT", made["id"], body | {"name": "TWO"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "options": CSV}, "name"),
        ({"name": " \u0000\u200b ", "options": CSV}, "name"),
        ({"name": "x" * 81, "options": CSV}, "name"),
        ({"name": "x", "options": {"colour": 1}}, "colour"),
        ({"name": "x", "options": "all"}, "options"),
        ({"name": "x", "options": {"visualizationOptions": {"opacity": 2}}}, "visualizationOptions.opacity"),
        (None, "name"),
    ],
)
def test_what_cannot_be_kept_is_said_at_its_field(
    alice: User, project: Project, body: object, field: str
) -> None:
    refused = call(alice, "POST", f"{exports_url(project.pk)}/presets", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_options")
    assert list(refused.json()["fields"]) == [field]
    assert not Preset.objects.exists()


def test_presets_are_listed_by_the_same_queries_however_many(alice: User, project: Project) -> None:
    counts, client = set(), client_for(alice)
    for number in range(3):
        save(alice, project, str(number), shared=True)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{exports_url(project.pk)}/presets")
        counts.add(len(queries))
    assert counts == {6}  # session, user, visible, exportable, offered, presets
