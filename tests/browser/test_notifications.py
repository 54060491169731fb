"""What reaches somebody who looks elsewhere: the tab's title and icon, and the browser's notification."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from exports import build, lifecycle
from exports.messages import Advance, Failure
from exports.models import ExportJob, Preferences
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_promises import Wire
from tests.browser.test_stories import start_export

pytestmark = pytest.mark.django_db(transaction=True)
RING = re.compile(r"^data:image/svg")

# Chromium shows notifications where no test can see them: this one keeps them.
WITNESS = """
window.told = [];
window.Notification = class {
  static permission = localStorage.getItem("test-permission") ?? "granted";
  static requestPermission = async () => Notification.permission;
  constructor(title, options) { Object.assign(this, { title, ...options, isOpen: true }); told.push(this); }
  close() { this.isOpen = false; }
};
"""
TURN = """(isHidden) => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def page(project: Project, alice: User, open_page: OpenPage) -> Page:
    """Alice wants to be notified in this browser, and to download later."""
    Preferences.objects.create(user=alice, download_when_ready=False)
    page = open_page("/", alice)
    page.context.add_init_script(WITNESS)
    page.evaluate("user => localStorage.setItem('exports-notify', user)", alice.pk)
    return at(page, project)


def at(page: Page, project: Project) -> Page:
    page.goto(project.get_absolute_url())
    expect(page.locator("body")).to_have_attribute("data-live", "websocket")
    return page


def look_away(*pages: Page) -> None:
    for page in pages:
        page.evaluate(TURN, True)


def told(*pages: Page) -> list[dict[str, Any]]:
    """What the tabs show, once all that they were told of is dealt with."""
    for page in pages:
        page.evaluate("() => navigator.locks.request('exports-notify', () => null)")
    return [each for page in pages for each in page.evaluate("told.map((each) => ({ ...each }))")]


def card(page: Page, job_id: str, status: str) -> None:
    expect(page.locator(f"#export-{job_id}")).to_have_attribute("data-status", status)


def icon(page: Page, address: str | re.Pattern[str]) -> None:
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", address)


def test_the_tab_shows_progress_and_is_as_before_afterwards(page: Page, project: Project) -> None:
    plain, plain_icon = page.title(), page.get_attribute("link[rel=icon]", "href")
    job = lifecycle.claim(ExportJob.objects.get(pk=start_export(page)).pk)
    lifecycle.beat(job.pk, job.attempt, Advance(43.2, "images", 1, 3, "Image 1 of 3"))
    expect(page).to_have_title(f"43 % · {plain}")
    icon(page, RING)
    lifecycle.cancel(job.pk, "user:1")
    expect(page).to_have_title(plain)
    icon(page, plain_icon or "")


@pytest.mark.parametrize(("end", "mark"), [("complete", "✓ Ready"), ("fail", "! Failed")])
def test_an_end_that_nobody_saw_stays_in_the_title_until_somebody_looks(
    page: Page, end: str, mark: str
) -> None:
    plain, job_id = page.title(), start_export(page)
    look_away(page)
    if end == "complete":
        build.run(ExportJob.objects.get().pk)
    else:
        job = lifecycle.claim(ExportJob.objects.get().pk)
        lifecycle.fail(job.pk, job.attempt, Failure("build_failed", "No.", retryable=True))
    expect(page).to_have_title(f"{mark} · {plain}")
    page.evaluate(TURN, False)
    expect(page).to_have_title(plain)
    assert [each["tag"] for each in told(page)] == [job_id]


def test_a_click_on_cancel_leaves_nothing_in_the_title(page: Page) -> None:
    plain, job_id = page.title(), start_export(page)
    expect(page).to_have_title(f"0 % · {plain}")
    page.locator(f"#export-{job_id}").get_by_role("button", name="Cancel export").click()
    look_away(page)
    card(page, job_id, "cancelled")
    expect(page).to_have_title(plain)
    assert told(page) == []


def test_one_tab_notifies_and_its_notification_leads_to_the_export(page: Page, project: Project) -> None:
    other = at(page.context.new_page(), project)
    job_id = start_export(page)
    card(other, job_id, "pending")
    look_away(page, other)
    build.run(ExportJob.objects.get().pk)
    for each in (page, other):
        expect(each).to_have_title(re.compile("Ready"))
    [shown] = told(page, other)
    assert (shown["title"], shown["body"]) == ("Nuclei", "Export of Nuclei is ready to download.")
    teller = page if told(page) else other
    teller.evaluate("told[0].onclick()")
    expect(teller.locator(f"#export-{job_id}")).to_be_focused()


def test_nobody_is_notified_of_what_another_browser_started(
    page: Page, project: Project, alice: User, open_page: OpenPage
) -> None:
    elsewhere = at(open_page("/", alice), project)
    card(page, start_export(elsewhere), "pending")
    look_away(page)
    build.run(ExportJob.objects.get().pk)
    expect(page).to_have_title(re.compile("Ready"))
    assert told(page) == []


def test_a_completion_after_a_click_on_cancel_notifies_nobody(page: Page, project: Project) -> None:
    wire = Wire(page)
    at(page, project)
    other = at(page.context.new_page(), project)
    job_id = start_export(page)
    card(other, job_id, "pending")
    page.route("**/cancel", lambda route: route.abort())  # the row never hears of it
    page.locator(f"#export-{job_id}").get_by_role("button", name="Cancel export").click()
    look_away(page, other)
    build.run(ExportJob.objects.get().pk)
    card(page, job_id, "completed")
    expect(other).to_have_title(re.compile("Ready"))
    wire.forge("completed", ExportJob.objects.get(), 99, exportSize=1, downloadUrl="/forged")
    assert told(page, other) == []


def test_a_notification_goes_when_its_export_is_cancelled(page: Page) -> None:
    start_export(page)
    look_away(page)
    build.run(ExportJob.objects.get().pk)
    expect(page).to_have_title(re.compile("Ready"))
    assert [each["isOpen"] for each in told(page)] == [True]
    lifecycle.cancel(ExportJob.objects.get().pk, "user:1")
    page.wait_for_function("() => !told[0].isOpen")


def choice(page: Page) -> Any:
    page.get_by_role("button", name="Export", exact=True).click()
    return page.get_by_role("checkbox", name="Notify me in this browser")


def test_the_wish_is_asked_for_and_remembered(page: Page, project: Project) -> None:
    page.evaluate("localStorage.removeItem('exports-notify')")
    box = choice(at(page, project))
    expect(box).not_to_be_checked()
    box.check()
    expect(choice(at(page, project))).to_be_checked()


def test_a_browser_that_refuses_says_so(page: Page, project: Project) -> None:
    page.evaluate(
        "localStorage.setItem('test-permission', 'denied'), localStorage.removeItem('exports-notify')"
    )
    box = choice(at(page, project))
    box.click()
    expect(page.get_by_text("Your browser blocks notifications of this site.")).to_be_visible()
    expect(box).not_to_be_checked()
    expect(box).to_have_accessible_description(re.compile("blocks notifications"))
