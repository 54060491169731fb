"""Who gets in, and how the API says no: the same for every operation that its own document lists."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from config.api import api
from exports.models import ApiToken, ExportJob
from projects.models import Membership, Project
from tests.calling import call, client_for, exports_url, job_url, key_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]

MEMBERS = {"type", "title", "status", "detail", "code", "error"}


def operations() -> Iterator[tuple[str, str]]:
    for path, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items():
        yield from ((method.upper(), path) for method in methods)


EVERY = sorted(operations())
OF_A_PROJECT = [each for each in EVERY if "{project_id}" in each[1]]
OF_A_JOB = [each for each in EVERY if "{job_id}" in each[1]]
BAD_IDS = ["x", "1", "../../etc/passwd", "6e356880-3737-4885-a952-9d6b083bb7b", "%00", "g" * 36]


def filled(path: str, job: ExportJob, **others: object) -> str:
    known = {"project_id": job.project_id, "job_id": job.pk, "preset_id": uuid.uuid4()}
    return path.format(**(known | others))


def assert_problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    if response.content:
        problem = json.loads(response.content)
        assert problem.keys() >= MEMBERS
        assert (problem["status"], problem["code"], problem["error"]) == (status, code, problem["detail"])


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_nobody_gets_in_without_a_login(job: ExportJob, method: str, path: str) -> None:
    response = call(None, method, filled(path, job))
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), OF_A_PROJECT)
def test_a_stranger_meets_nothing(mallory: User, job: ExportJob, method: str, path: str) -> None:
    theirs = call(mallory, method, filled(path, job))
    nothing = call(mallory, method, filled(path, job, project_id=uuid.uuid4(), job_id=uuid.uuid4()))
    assert_problem(theirs, 404, "not_found")
    assert theirs.content == nothing.content


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
def test_a_member_does_not_meet_the_jobs_of_others(bob: User, job: ExportJob, method: str, path: str) -> None:
    assert_problem(call(bob, method, filled(path, job)), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
def test_a_job_is_not_found_in_another_project(alice: User, job: ExportJob, method: str, path: str) -> None:
    other = Project.objects.create(name="Other", owner=alice)
    assert_problem(call(alice, method, filled(path, job, project_id=other.pk)), 404, "not_found")


@pytest.mark.parametrize("bad", BAD_IDS)
def test_a_malformed_id_is_not_found(alice: User, bad: str) -> None:
    for method, path in OF_A_PROJECT:
        url = path.format(project_id=bad, job_id=uuid.uuid4(), preset_id=uuid.uuid4())
        assert_problem(call(alice, method, url), 404, "not_found")


@pytest.mark.parametrize("url", ["/api/", "/api/nothing", "/api/projects/", "/api/export"])
def test_an_unknown_address_is_a_problem_too(alice: User, url: str) -> None:
    assert_problem(call(alice, "POST", url), 404, "not_found")


def test_a_wrong_method_is_refused_with_the_right_ones(alice: User, job: ExportJob) -> None:
    response = call(alice, "PUT", job_url(job, "download"))
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("action", ["", "/estimate"])
def test_a_viewer_may_not_export(vera: User, project: Project, action: str) -> None:
    assert_problem(call(vera, "POST", exports_url(project.pk) + action), 403, "export_not_allowed")


def test_an_owner_acts_on_the_jobs_of_members(alice: User, bob: User, project: Project) -> None:
    job_id = call(bob, "POST", exports_url(project.pk)).json()["jobId"]
    assert call(alice, "POST", f"{exports_url(project.pk)}/{job_id}/cancel").status_code == 200


def test_a_lost_membership_ends_access_at_once(bob: User, project: Project) -> None:
    url = f"{exports_url(project.pk)}/{call(bob, 'POST', exports_url(project.pk)).json()['jobId']}/status"
    Membership.objects.filter(user=bob).delete()
    assert_problem(call(bob, "GET", url), 404, "not_found")


def test_a_session_needs_the_csrf_token(alice: User, job: ExportJob) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert_problem(client.post(job_url(job, "cancel")), 403, "csrf_failed")
    assert ExportJob.objects.get(pk=job.pk).status == "pending"


def test_a_session_with_the_csrf_token_gets_in(alice: User, job: ExportJob) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    client.cookies["csrftoken"] = "a" * 32
    response = client.post(job_url(job, "cancel"), headers={"X-CSRFToken": "a" * 32})
    assert response.status_code == 200


def test_reading_needs_no_csrf_token(alice: User, job: ExportJob) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.get(job_url(job, "status")).status_code == 200


@pytest.fixture
def key(alice: User) -> str:
    return key_of(alice)


def test_a_key_gets_in_without_cookies(job: ExportJob, key: str) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(job_url(job, "cancel"), headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 200
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer", "Bearer ", "Basic secret", "secret", "Bearer ä"]
)
def test_a_wrong_key_does_not(job: ExportJob, key: str, header: str) -> None:
    assert_problem(call(None, "GET", job_url(job, "status"), Authorization=header), 401, "not_authenticated")


def test_the_key_of_a_blocked_user_does_not(alice: User, job: ExportJob, key: str) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    response = call(None, "GET", job_url(job, "status"), Authorization=f"Bearer {key}")
    assert_problem(response, 401, "not_authenticated")


@pytest.mark.parametrize("content", ["{", "nonsense", "\x00", '{"options": }', b"\xff\xfe"])
def test_a_body_that_is_not_json_is_refused(alice: User, project: Project, content: str) -> None:
    response = client_for(alice).generic("POST", exports_url(project.pk), content, "application/json")
    assert_problem(response, 400, "invalid_options")


def test_a_body_that_is_too_large_is_refused(
    alice: User, project: Project, settings: pytest.FixtureRequest
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10  # type: ignore[attr-defined]
    assert_problem(call(alice, "POST", exports_url(project.pk), {"projectName": "x" * 99}), 413, "too_large")


def test_a_fault_of_ours_tells_nothing(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch, settings: pytest.FixtureRequest
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("/var/secret/path")

    settings.DEBUG = True  # type: ignore[attr-defined]
    monkeypatch.setattr("exports.admission.start", fail)
    response = call(alice, "POST", exports_url(project.pk))
    assert_problem(response, 500, "internal_error")
    assert b"secret" not in response.content
    assert b"Traceback" not in response.content


def test_a_database_that_does_not_answer_is_503(
    alice: User, job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("exports.lifecycle.cancel", fail)
    response = call(alice, "POST", job_url(job, "cancel"))
    assert_problem(response, 503, "busy")
    assert response["Retry-After"] == "1"


def test_every_operation_documents_its_problems() -> None:
    schema = api.get_openapi_schema(path_prefix="/api/")
    assert schema["openapi"].startswith("3.")
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert "application/problem+json" in operation["responses"]["500"]["content"]


def test_the_documents_are_readable_by_anybody(client: Client, db: None) -> None:
    assert client.get("/api/openapi.json").json()["paths"]
    assert client.get("/api/events.json").json()["asyncapi"] == "3.0.0"


def test_the_documentation_is_a_page(client: Client, db: None) -> None:
    assert b"/api/openapi.json" in client.get("/api/docs").content


def test_what_one_user_is_told_is_for_no_shared_cache(alice: User, project: Project) -> None:
    assert call(alice, "GET", f"/api/projects/{project.pk}")["Cache-Control"] == "private, no-cache"
