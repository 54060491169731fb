"""The policy of the pages in a real browser: none needs what it forbids, and what it forbids does not run."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_dialog import opened

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = [
    "/", "/exports/", "/exports/settings/", "/accounts/password_change/", "/accounts/login/?next=/admin/",
    "/api/docs", "/admin/", "/admin/auth/user/", "/admin/auth/user/add/", "/admin/projects/project/",
    "/admin/axes/accessattempt/", "/admin/exports/exportjob/", "/admin/overview/", "/admin/rq/", "/accounts/keys/",
]  # fmt: skip
INLINE = "<script>window.hasRun = true</script><img src=x onerror='window.hasRun = true'>"
HAS_RUN = "window.hasRun === true"


def complaints_of(page: Page) -> list[str]:
    """Grows with whatever the browser says against the page."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.fixture
def staff(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    return alice


def test_no_page_needs_what_the_policy_forbids(
    project: Project, completed: ExportJob, staff: User, open_page: OpenPage
) -> None:
    page = open_page("/", staff)
    said = complaints_of(page)
    image = project.images.get(name="a.png").get_absolute_url()
    job = reverse("admin:exports_exportjob_change", args=[completed.pk])
    for path in (*PAGES, project.get_absolute_url(), image, f"{project.get_absolute_url()}export/", job):
        page.goto(path, wait_until="load")
        assert said == [], path


def test_the_dialog_with_a_preview_needs_nothing_forbidden(
    project: Project, staff: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), staff)
    said = complaints_of(page)
    opened(page)
    page.get_by_text("Style of the overlays").click()
    expect(page.locator("overlay-preview").get_by_role("img")).to_have_js_property("naturalWidth", 64)
    expect(page.locator("body")).to_have_attribute("data-live", "websocket")
    assert said == []


def test_the_page_of_the_api_works_under_the_policy(staff: User, open_page: OpenPage) -> None:
    page = open_page("/api/docs", staff)
    said = complaints_of(page)
    page.locator(".opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert said == []


@pytest.mark.parametrize("has_policy", [True, False])
def test_a_script_that_got_into_a_page_does_not_run(
    project: Project, alice: User, open_page: OpenPage, has_policy: bool
) -> None:
    """Without the policy it would."""
    page = open_page("/healthz", alice)

    def with_script(route: Route) -> None:
        answer = route.fetch()
        headers: dict[str, Any] = dict(answer.headers)
        if not has_policy:
            del headers["content-security-policy"]
        route.fulfill(status=200, headers=headers, body=answer.text().replace("</main>", f"{INLINE}</main>"))

    page.route("**/exports/", with_script)
    page.goto("/exports/", wait_until="load")
    assert page.evaluate(HAS_RUN) is not has_policy


def test_an_uploaded_drawing_opened_on_its_own_runs_nothing(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/healthz", alice)
    image = project.images.get(name="a.png").get_absolute_url()
    evil = (
        "<svg xmlns='http://www.w3.org/2000/svg'><script>document.documentElement.id = 'run'</script></svg>"
    )

    def hostile(route: Route) -> None:
        route.fulfill(status=200, headers=dict(route.fetch().headers), body=evil)

    page.route("**/outlines.svg", hostile)
    page.goto(f"{image}outlines.svg")
    assert page.evaluate("document.documentElement.id") == ""
