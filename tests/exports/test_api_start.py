from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User

from exports import lifecycle
from exports.options import ExportOptions
from projects.models import Image, Project
from tests.calling import call, exports_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


def test_a_start_is_accepted_with_the_address_of_its_status(alice: User, project: Project) -> None:
    response = call(alice, "POST", exports_url(project.pk), {"options": {"metricsFormats": ["csv"]}})
    answer = response.json()
    assert response.status_code == 202
    assert response["Location"] == f"{exports_url(project.pk)}/{answer['jobId']}/status"
    assert response["Retry-After"] == "1"
    assert (answer["success"], answer["deduplicated"]) == (True, False)
    assert answer["job"]["status"] == "pending"
    assert answer["job"]["options"]["metricsFormats"] == ["csv"]


@pytest.mark.parametrize("body", [None, {}, {"options": None}, {"options": {}}])
def test_a_start_without_options_takes_the_defaults(alice: User, project: Project, body: object) -> None:
    response = call(alice, "POST", exports_url(project.pk), body)
    assert response.json()["job"]["options"] == ExportOptions().as_json()


def test_the_same_options_while_active_give_the_same_job(alice: User, project: Project) -> None:
    first = call(alice, "POST", exports_url(project.pk))
    again = call(alice, "POST", exports_url(project.pk))
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["jobId"] == first.json()["jobId"]
    assert again.json()["deduplicated"] is True


def test_an_idempotency_key_gives_the_same_job_also_when_it_has_ended(alice: User, project: Project) -> None:
    first = call(alice, "POST", exports_url(project.pk), Idempotency_Key="k1").json()["jobId"]
    lifecycle.cancel(uuid.UUID(first), lifecycle.actor(alice))
    again = call(alice, "POST", exports_url(project.pk), Idempotency_Key="k1")
    assert (again.status_code, again.json()["jobId"]) == (200, first)


def test_an_idempotency_key_cannot_be_used_for_another_request(alice: User, project: Project) -> None:
    call(alice, "POST", exports_url(project.pk), Idempotency_Key="k1")
    other = {"options": {"includeDocumentation": False}}
    response = call(alice, "POST", exports_url(project.pk), other, Idempotency_Key="k1")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ä"])
def test_an_unusable_idempotency_key_is_refused(alice: User, project: Project, key: str) -> None:
    response = call(alice, "POST", exports_url(project.pk), Idempotency_Key=key)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"options": {"unknown": 1}}, "unknown"),
        ({"options": {"selectedImageIds": []}}, "selectedImageIds"),
        ({"options": {"selectedImageIds": ["x"]}}, "selectedImageIds.0"),
        ({"options": {"selectedImageIds": [str(uuid.uuid4())]}}, "selectedImageIds"),
        ({"options": {"annotationFormats": ["pdf"]}}, "annotationFormats"),
        ({"options": {"pixelToMicrometerScale": 0}}, "pixelToMicrometerScale"),
        ({"options": {"visualizationOptions": {"opacity": 2}}}, "visualizationOptions.opacity"),
        ({"options": []}, "options"),
        ({"options": {"\ud800": 1}}, "options"),
        ({"options": {}, "more": 1}, "more"),
        ({"projectName": "x" * 201}, "projectName"),
        ({"projectName": "\ud800"}, "projectName"),
        ([], "body"),
    ],
)
@pytest.mark.parametrize("action", ["", "/estimate"])
def test_options_that_cannot_be_used_are_named(
    alice: User, project: Project, body: object, field: str, action: str
) -> None:
    response = call(alice, "POST", exports_url(project.pk) + action, body)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_options")
    assert field in problem["fields"]


def test_images_of_another_project_cannot_be_selected(alice: User, bob: User, project: Project) -> None:
    theirs = Project.objects.create(name="Theirs", owner=bob)
    image = Image.objects.create(
        project=theirs, name="x", file="x", width=1, height=1, size=1, sha256="0" * 64
    )
    chosen = {"options": {"selectedImageIds": [str(image.pk)]}}
    response = call(alice, "POST", exports_url(project.pk), chosen)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_options")


def test_an_empty_project_has_nothing_to_export(alice: User) -> None:
    empty = Project.objects.create(name="Empty", owner=alice)
    response = call(alice, "POST", exports_url(empty.pk))
    assert (response.status_code, response.json()["code"]) == (409, "nothing_to_export")


def test_too_many_active_exports_are_refused_with_a_time(
    alice: User, project: Project, settings: pytest.FixtureRequest
) -> None:
    settings.EXPORT_MAX_ACTIVE_PER_USER = 1  # type: ignore[attr-defined]
    call(alice, "POST", exports_url(project.pk))
    response = call(alice, "POST", exports_url(project.pk), {"options": {"includeDocumentation": False}})
    assert (response.status_code, response.json()["code"]) == (429, "too_many_active_exports")
    assert int(response["Retry-After"]) > 0


def test_a_full_disk_is_507(alice: User, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exports.files.free_bytes", lambda: 1000)
    response = call(alice, "POST", exports_url(project.pk))
    assert (response.status_code, response.json()["code"]) == (507, "insufficient_storage")


def test_a_project_name_may_be_anything_and_names_the_job(alice: User, project: Project) -> None:
    response = call(alice, "POST", exports_url(project.pk), {"projectName": "=cmd()\u0000../x"})
    assert response.json()["job"]["projectName"] == "=cmd()../x"
