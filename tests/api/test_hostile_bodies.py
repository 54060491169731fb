"""Bodies and addresses that no honest client sends: each is refused with a sentence, and none is our fault."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from exports.models import ExportJob
from projects.models import Project
from tests.calling import call, client_for, exports_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
DEEP = "[" * 100_000
NO_JSON = {
    "deep": DEEP,
    "deep options": '{"options": ' + DEEP,
    "nan": '{"options": {"pixelToMicrometerScale": NaN}}',
    "infinity": '{"options": {"pixelToMicrometerScale": -Infinity}}',
    "long number": '{"options": {"pixelToMicrometerScale": ' + "9" * 10_000 + "}}",
    "twice": '{"options": {}, "options": {}}',
    "twice inside": '{"options": {"includeIntensity": true, "includeIntensity": false}}',
    "trailing": "{} {}",
    "single quotes": "{'options': {}}",
    "utf-16": '{"options": {}}'.encode("utf-16"),
    "byte order mark": "\ufeff{}".encode(),
    "latin-1": '{"projectName": "ä"}'.encode("latin-1"),
}
NOT_VALID = {
    "too large": '{"options": {"pixelToMicrometerScale": 1e999}}',
    "far too large": '{"options": {"pixelToMicrometerScale": 1' + "0" * 400 + "}}",
    "too large whole": '{"options": {"visualizationOptions": {"strokeWidth": 1' + "0" * 400 + "}}}",
    "text for a number": '{"options": {"visualizationOptions": {"strokeWidth": "2"}}}',
    "truth for a number": '{"options": {"pixelToMicrometerScale": true}}',
    "text for truth": '{"options": {"includeIntensity": "true"}}',
    "surrogate": '{"projectName": "\\ud800"}',
    "surrogate name": '{"\\ud800": 1}',
    "surrogate option": '{"options": {"\\udfff": 1}}',
    "surrogate format": '{"options": {"annotationFormats": ["\\ud800"]}}',
    "nul option": '{"options": {"\\u0000": 1}}',
    "nul format": '{"options": {"annotationFormats": ["\\u0000"]}}',
    "unknown": '{"nonsense": 1}',
    "list": "[]",
    "text": '"options"',
    "number": "1",
}


def post(
    user: User, project: Project, body: str | bytes, kind: str = "application/json", path: str = ""
) -> object:
    """Status, code and whether a sentence says what is wrong."""
    response = client_for(user).generic("POST", exports_url(project.pk) + path, body, kind)
    problem = json.loads(response.content)
    return response.status_code, problem.get("code"), bool(problem.get("detail"))


def assert_nothing_went_wrong(caplog: pytest.LogCaptureFixture) -> None:
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]
    assert not ExportJob.objects.exists()


@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_json_is_refused(
    alice: User, project: Project, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(alice, project, NO_JSON[name]) == (400, "invalid_options", True)
    assert_nothing_went_wrong(caplog)


@pytest.mark.parametrize("name", NOT_VALID)
@pytest.mark.parametrize("path", ["", "/presets"])
def test_what_cannot_be_chosen_is_refused(
    alice: User, project: Project, name: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(alice, project, NOT_VALID[name], path=path) == (422, "invalid_options", True)
    assert_nothing_went_wrong(caplog)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_is_neither_json_nor_called_so_is_refused(alice: User, project: Project, kind: str) -> None:
    assert post(alice, project, "options=all", kind) == (415, "unsupported_media_type", True)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_json_is_taken_under_any_name(alice: User, project: Project, kind: str) -> None:
    status, *_ = post(alice, project, '{"options": {"annotationFormats": ["yolo"]}}', kind)  # type: ignore[misc]
    assert (status, ExportJob.objects.get().options["annotationFormats"]) == (202, ["yolo"])


def test_the_type_may_name_its_character_set(alice: User, project: Project) -> None:
    status, *_ = post(alice, project, "{}", "application/json; charset=utf-8")  # type: ignore[misc]
    assert status == 202


@pytest.mark.parametrize("rest", ["", "; boundary=", "; boundary=\xe4", "; boundary=" + "x" * 300])
def test_a_form_that_cannot_be_read_is_refused(alice: User, project: Project, rest: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.generic("POST", exports_url(project.pk), b"--x", f"multipart/form-data{rest}")
    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize(
    "project_id", ["not-a-uuid", "%00", "..%2f..%2fetc", "%F0%28%8C", "x" * 10_240, "%0d%0aSet-Cookie:a"]
)
def test_an_address_that_cannot_be_is_not_found(alice: User, project_id: str) -> None:
    response = call(alice, "GET", f"/api/projects/{project_id}")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "query", ["limit=1e999", "limit=" + "9" * 5000, "limit=%00", "cursor=%00", "search=" + "x" * 1001]
)
def test_a_parameter_that_cannot_be_used_is_refused(alice: User, project: Project, query: str) -> None:
    response = call(alice, "GET", f"/api/projects/{project.pk}/images?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
