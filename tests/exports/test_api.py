from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exports import lifecycle
from exports.models import ExportJob
from exports.schemas import JobView
from exports.states import Status
from projects.models import Project
from tests.calling import call, exports_url, job_url
from tests.jobs import download, request_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


def test_an_estimate_starts_nothing(alice: User, project: Project) -> None:
    answer = call(alice, "POST", f"{exports_url(project.pk)}/estimate", {}).json()
    assert (answer["images"], answer["objects"]) == (3, 6)
    assert {*answer} == {
        "images", "objects", "estimatedBytes", "estimatedSeconds", "freeBytes", "warnings"
    }  # fmt: skip
    assert not ExportJob.objects.exists()


def test_a_status_is_the_job(alice: User, completed: ExportJob) -> None:
    response = call(alice, "GET", job_url(completed, "status"))
    assert response.json() == JobView.of(completed).as_json()
    assert response["ETag"] == f'"{completed.version}"'


def test_a_status_has_times_in_utc_with_microseconds(alice: User, job: ExportJob) -> None:
    moment = call(alice, "GET", job_url(job, "status")).json()["createdAt"]
    assert moment.endswith("Z")
    assert datetime.fromisoformat(moment) == job.created_at


def test_a_status_that_is_known_is_304(alice: User, job: ExportJob) -> None:
    tag = call(alice, "GET", job_url(job, "status"))["ETag"]
    unchanged = call(alice, "GET", job_url(job, "status"), If_None_Match=tag)
    lifecycle.claim(job.pk)
    changed = call(alice, "GET", job_url(job, "status"), If_None_Match=tag)
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", tag)
    assert (changed.status_code, changed["ETag"] != tag) == (200, True)


@pytest.mark.parametrize("state", ["job", "processing", "completed", "cancelled"])
def test_a_cancel_is_answered_and_repeated_alike(
    request: pytest.FixtureRequest, alice: User, state: str
) -> None:
    job = request.getfixturevalue(state)
    first, again = (call(alice, "POST", job_url(job, "cancel")) for _ in range(2))
    assert (first.status_code, first.json()["success"]) == (200, True)
    assert first.json()["job"]["status"] == "cancelled"
    assert first.json()["job"]["cancelReason"] == "user_cancelled"
    assert again.json() == first.json()


@pytest.mark.parametrize(("state", "code"), [("failed", "already_failed"), ("expired", "already_expired")])
def test_a_late_cancel_is_refused(request: pytest.FixtureRequest, alice: User, state: str, code: str) -> None:
    response = call(alice, "POST", job_url(request.getfixturevalue(state), "cancel"))
    assert (response.status_code, response.json()["code"]) == (409, code)


def test_a_downloaded_export_cannot_be_cancelled(alice: User, completed: ExportJob) -> None:
    download(completed.pk, lifecycle.actor(alice))
    response = call(alice, "POST", job_url(completed, "cancel"))
    assert (response.status_code, response.json()["code"]) == (409, "already_downloaded")


def test_a_lock_that_cannot_be_had_is_no_answer(
    alice: User, job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise lifecycle.exceptions.Busy

    monkeypatch.setattr(lifecycle, "cancel", busy)
    response = call(alice, "POST", job_url(job, "cancel"))
    assert (response.status_code, response["Retry-After"]) == (503, "1")


def test_the_automatic_download_is_granted_once_whoever_asks(alice: User, completed: ExportJob) -> None:
    first, again = (call(alice, "POST", job_url(completed, "auto-download")) for _ in range(2))
    assert (first.status_code, first.json()) == (200, {"downloadUrl": job_url(completed, "download")})
    assert (again.status_code, again.json()["code"]) == (409, "already_auto_downloaded")


@pytest.mark.parametrize("action", ["auto-download", "download-token"])
@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("job", 404, "export_not_completed"),
        ("failed", 404, "export_failed"),
        ("cancelled", 410, "export_cancelled"),
        ("expired", 410, "export_expired"),
    ],
)
def test_without_a_file_there_is_no_claim_and_no_token(
    request: pytest.FixtureRequest, alice: User, action: str, state: str, status: int, code: str
) -> None:
    response = call(alice, "POST", job_url(request.getfixturevalue(state), action))
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_retry_is_a_new_export_with_the_same_options(alice: User, failed: ExportJob) -> None:
    response = call(alice, "POST", job_url(failed, "retry"))
    job = response.json()["job"]
    assert (response.status_code, job["retryOf"], job["options"]) == (202, str(failed.pk), failed.options)
    assert response["Location"].endswith(f"{job['jobId']}/status")


def test_a_retry_of_an_active_export_is_refused(alice: User, processing: ExportJob) -> None:
    response = call(alice, "POST", job_url(processing, "retry"))
    assert (response.status_code, response.json()["code"]) == (409, "still_active")


def test_deleting_removes_the_file_and_keeps_the_job(alice: User, completed: ExportJob) -> None:
    response = call(alice, "DELETE", job_url(completed))
    job = ExportJob.objects.get(pk=completed.pk)
    assert (response.status_code, response.content, job.status) == (204, b"", Status.EXPIRED)


@pytest.mark.parametrize("state", ["cancelled", "failed", "expired"])
def test_deleting_what_has_no_file_changes_nothing(
    request: pytest.FixtureRequest, alice: User, state: str
) -> None:
    job = request.getfixturevalue(state)
    assert call(alice, "DELETE", job_url(job)).status_code == 204
    assert ExportJob.objects.get(pk=job.pk).version == job.version


@pytest.mark.parametrize("state", ["job", "processing"])
def test_an_active_export_cannot_be_deleted(request: pytest.FixtureRequest, alice: User, state: str) -> None:
    response = call(alice, "DELETE", job_url(request.getfixturevalue(state)))
    assert (response.status_code, response.json()["code"]) == (409, "still_active")


def test_the_history_is_paged_newest_first(alice: User, project: Project) -> None:
    made = [_ended(project, alice, width) for width in range(1, 6)]
    seen: list[str] = []
    cursor = ""
    while True:
        answer = call(alice, "GET", f"{exports_url(project.pk)}/history?limit=2{cursor}").json()
        seen += [job["jobId"] for job in answer["jobs"]]
        if answer["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['nextCursor']}"
    assert seen == [str(job.pk) for job in reversed(made)]


def test_the_history_shows_the_owner_all_and_others_their_own(
    alice: User, bob: User, project: Project
) -> None:
    by_alice, by_bob = _ended(project, alice, 1), _ended(project, bob, 1)
    shown = {
        user.username: [
            each["jobId"] for each in call(user, "GET", f"{exports_url(project.pk)}/history").json()["jobs"]
        ]
        for user in (alice, bob)
    }
    assert shown == {"alice": [str(by_bob.pk), str(by_alice.pk)], "bob": [str(by_bob.pk)]}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=99999999999999999999", "limit=x", "cursor=x"]
)
def test_a_page_that_cannot_be_had_is_refused(alice: User, project: Project, query: str) -> None:
    response = call(alice, "GET", f"{exports_url(project.pk)}/history?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert {*response.json()["fields"]} == {query.partition("=")[0]}


def test_a_history_takes_the_same_queries_however_long(alice: User, project: Project) -> None:
    counts = []
    for width in range(1, 4):
        lifecycle.request(request_for(project, alice, visualization_options={"stroke_width": width}))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            call(alice, "GET", f"{exports_url(project.pk)}/history")
        counts.append(len(queries))
    assert len(set(counts)) == 1, counts


def test_the_audit_tells_every_move(alice: User, cancelled: ExportJob) -> None:
    rows = call(alice, "GET", job_url(cancelled, "audit")).json()["transitions"]
    assert [row["sequence"] for row in rows] == [*range(1, len(rows) + 1)]
    assert [row["toStatus"] for row in rows][:3] == ["pending", "processing", "cancelled"]
    assert rows[0]["fromStatus"] is None
    assert {*rows[0]} == {
        "sequence", "fromStatus", "toStatus", "reason", "actor", "attempt", "at", "detail"
    }  # fmt: skip


def test_the_formats_say_what_they_hold_and_how_to_choose(alice: User) -> None:
    answer = call(alice, "GET", "/api/export/formats").json()
    coco = next(each for each in answer["formats"] if each["id"] == "coco")
    assert {*coco} == {"kind", "id", "title", "description", "files", "cannotHold"}
    assert "annotationFormats" in answer["optionsSchema"]["properties"]


def _ended(project: Project, user: User, width: int) -> ExportJob:
    job, _ = lifecycle.request(request_for(project, user, visualization_options={"stroke_width": width}))
    return lifecycle.cancel(job.pk, lifecycle.actor(user))
