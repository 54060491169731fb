from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from exports import lifecycle
from exports.models import ExportJob
from exports.schemas import JobView
from projects.models import Membership, Project
from tests.calling import call
from tests.jobs import request_for

OWN, VISIBLE = "/api/exports/current", "/api/exports/current?scope=visible"


@pytest.fixture
def bobs(project: Project, bob: User, bell: list[Any]) -> ExportJob:
    return lifecycle.request(request_for(project, bob))[0]


def shown(user: User, url: str) -> set[str]:
    return {job["jobId"] for job in call(user, "GET", url).json()["jobs"]}


def ids(*jobs: ExportJob) -> set[str]:
    return {str(job.pk) for job in jobs}


def test_the_current_exports_are_those_of_the_caller(
    job: ExportJob, bobs: ExportJob, alice: User, bob: User, vera: User, mallory: User
) -> None:
    users = (alice, bob, vera, mallory)
    assert [shown(user, OWN) for user in users] == [ids(job), ids(bobs), set(), set()]


def test_the_owner_may_see_everybodys_of_the_project(
    job: ExportJob, bobs: ExportJob, alice: User, bob: User, vera: User, mallory: User
) -> None:
    users = (alice, bob, vera, mallory)
    assert [shown(user, VISIBLE) for user in users] == [ids(job, bobs), ids(bobs), set(), set()]


def test_an_export_is_told_as_everywhere_else(processing: ExportJob, alice: User) -> None:
    [told] = call(alice, "GET", OWN).json()["jobs"]
    assert (
        told == call(alice, "GET", f"/api/projects/{told['projectId']}/export/{told['jobId']}/status").json()
    )
    assert told.keys() == JobView.of(processing).as_json().keys()


def test_what_ended_over_an_hour_ago_is_left_out(job: ExportJob, cancelled: ExportJob, alice: User) -> None:
    past = Now() - timedelta(minutes=61)
    ExportJob.objects.filter(pk=cancelled.pk).update(changed_at=past, version=F("version") + 1)
    assert shown(alice, OWN) == set()


def test_what_is_active_is_told_however_old_it_is(job: ExportJob, alice: User) -> None:
    ExportJob.objects.filter(pk=job.pk).update(changed_at=Now() - timedelta(days=2), version=F("version") + 1)
    assert shown(alice, OWN) == ids(job)


def test_who_has_left_the_project_is_told_nothing_of_it(bobs: ExportJob, bob: User) -> None:
    Membership.objects.filter(user=bob).delete()
    assert (shown(bob, OWN), shown(bob, VISIBLE)) == (set(), set())


def test_nothing_new_is_answered_with_304(job: ExportJob, alice: User) -> None:
    tag = call(alice, "GET", VISIBLE)["ETag"]
    again = call(alice, "GET", VISIBLE, If_None_Match=tag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert again["Cache-Control"] == "private, no-cache"


def test_any_change_of_any_export_changes_the_tag(
    job: ExportJob, bobs: ExportJob, alice: User, project: Project
) -> None:
    tags = [call(alice, "GET", VISIBLE)["ETag"]]
    for change in (
        lambda: lifecycle.claim(bobs.pk),
        lambda: lifecycle.cancel(job.pk, "user:1"),
        lambda: lifecycle.request(request_for(project, alice, includeDocumentation=False)),
    ):
        change()
        answer = call(alice, "GET", VISIBLE, If_None_Match=tags[-1])
        assert answer.status_code == 200
        tags.append(answer["ETag"])
    assert len(set(tags)) == 4


def test_the_two_scopes_do_not_share_a_tag(job: ExportJob, bobs: ExportJob, alice: User) -> None:
    tag = call(alice, "GET", OWN)["ETag"]
    assert call(alice, "GET", VISIBLE, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(("headers", "queries"), [({}, 1), ({"If_None_Match": '"old"'}, 2)])
def test_it_costs_the_same_however_many_exports_there_are(
    job: ExportJob, bobs: ExportJob, alice: User, project: Project, headers: dict[str, str], queries: int
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as made:
            call(alice, "GET", VISIBLE, **headers)
        return sum("exports_exportjob" in each["sql"] for each in made)

    before = cost()
    lifecycle.request(request_for(project, alice, includeDocumentation=False))
    assert (before, cost()) == (queries, queries)


def test_an_unknown_scope_is_refused(alice: User) -> None:
    answer = call(alice, "GET", "/api/exports/current?scope=all")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_nobody_known_is_told_nothing(job: ExportJob) -> None:
    assert call(None, "GET", OWN).status_code == 401
