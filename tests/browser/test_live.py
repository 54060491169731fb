"""Several tabs, several people, and pages that were away: all of them come to show the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now
from playwright.sync_api import Browser, Page, expect

from exports import build, lifecycle
from exports.messages import Advance
from exports.models import ExportJob
from projects.models import Membership, Project
from tests.browser.conftest import FLAGS, OpenPage
from tests.browser.install import chromium
from tests.browser.test_promises import is_live, watched
from tests.browser.test_stories import start_export
from tests.browser.test_traffic import HIDE, HOLD_FRAMES, block_sockets
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 5_000  # milliseconds; a socket that heard no announcement looks again after 6.4 s at the earliest
BY_POLLING = 5_000
TELL = "(message) => new BroadcastChannel('exports').postMessage(message)"
NOTE_KEPT = """() => {
    const ask = window.fetch;
    window.kept = [];
    window.fetch = (url, options) => {
        if (options.keepalive) window.kept.push(url);
        return ask(url, options);
    };
}"""


def shows(page: Page, job: ExportJob, status: str, timeout: float = AT_ONCE) -> None:
    expect(page.locator(f"#export-{job.pk}")).to_have_attribute("data-status", status, timeout=timeout)


def event(name: str, job: ExportJob, version: int) -> dict[str, Any]:
    about = {"jobId": str(job.pk), "projectId": str(job.project_id), "userId": job.user_id}
    return {"type": f"export:{name}", "version": version, **about}


@pytest.fixture
def start(project: Project, bell: list[Any]) -> Callable[[User], ExportJob]:
    """An export that begins elsewhere."""
    return lambda user: lifecycle.request(request_for(project, user))[0]


Start = Callable[[User], ExportJob]


# --- Several people


def test_the_owner_sees_a_colleagues_export_from_its_start_to_its_end(
    project: Project, alice: User, bob: User, start: Start, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    is_live(page, "websocket")
    job = start(bob)
    shows(page, job, "pending")
    attempt = lifecycle.claim(job.pk).attempt
    lifecycle.beat(job.pk, attempt, Advance(61, "images", 1, 3, "Image 1"))
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 61, timeout=AT_ONCE)
    lifecycle.cancel(job.pk, lifecycle.actor(bob))
    shows(page, job, "cancelled")


def test_the_owner_cancels_a_colleagues_export_and_both_see_it(
    project: Project, alice: User, bob: User, start: Start, open_page: OpenPage
) -> None:
    owner, colleague = (open_page(project.get_absolute_url(), user) for user in (alice, bob))
    for page in (owner, colleague):
        is_live(page, "websocket")
    job = start(bob)
    shows(colleague, job, "pending")
    owner.get_by_role("button", name="Cancel export").click()
    for page in (owner, colleague):
        shows(page, job, "cancelled")


def test_a_colleague_sees_their_own_exports_only(
    project: Project, alice: User, bob: User, start: Start, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), bob)
    is_live(page, "websocket")
    start(alice)
    shows(page, start(bob), "pending")
    expect(page.locator("[data-export-id]")).to_have_count(1)


def test_the_owner_without_sockets_sees_what_starts_elsewhere_while_something_is_under_way(
    processing: ExportJob, alice: User, bob: User, start: Start, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    block_sockets(page)
    page.goto(processing.project.get_absolute_url())
    is_live(page, "polling")
    job = start(bob)
    shows(page, job, "pending", BY_POLLING)
    lifecycle.cancel(job.pk, lifecycle.actor(bob))
    shows(page, job, "cancelled", BY_POLLING)


def test_an_export_that_can_no_longer_be_seen_says_so(
    project: Project, bob: User, start: Start, open_page: OpenPage
) -> None:
    start(bob)
    page = open_page("/", bob)
    block_sockets(page)
    page.goto(project.get_absolute_url())
    is_live(page, "polling")
    Membership.objects.filter(user=bob).delete()
    expect(page.get_by_text("You cannot see this export any more.")).to_be_visible()


# --- Several tabs


def deaf(open_page: OpenPage, beside: Page, project: Project, user: User) -> Page:
    """A tab that hears nothing of the server but what it is told by the tabs beside it."""
    page = open_page("/", user, context=beside.context)
    block_sockets(page)
    page.route("**/exports/current*", lambda route: route.abort())
    page.goto(project.get_absolute_url())
    is_live(page, "offline")
    return page


def test_what_one_tab_starts_and_learns_its_deaf_sibling_shows_at_once(
    project: Project, alice: User, bell: list[Any], open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    is_live(page, "websocket")
    sibling = deaf(open_page, page, project, alice)
    asked = watched(sibling)
    job = ExportJob.objects.get(pk=start_export(page))
    shows(sibling, job, "pending")
    with page.expect_download():
        build.run(job.pk)
    shows(sibling, job, "completed")
    assert asked == []


def test_a_tab_believes_no_tab_of_another_user(
    processing: ExportJob, alice: User, mallory: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    is_live(page, "websocket")
    teller = open_page("/", alice, context=page.context)
    for user, name, version in ((mallory, "completed", 90), (alice, "failed", 80)):
        teller.evaluate(TELL, {"userId": user.pk, "message": event(name, processing, version)})
    shows(page, processing, "failed")


def test_a_cancel_clicked_in_one_tab_stops_the_download_of_the_other(
    project: Project, alice: User, bell: list[Any], open_page: OpenPage
) -> None:
    """The cancel has not reached the server yet."""
    page = open_page(project.get_absolute_url(), alice)
    asked = watched(page)
    job = ExportJob.objects.get(pk=start_export(page))
    sibling = open_page(project.get_absolute_url(), alice, context=page.context)
    sibling.route("**/cancel", lambda route: None)
    is_live(sibling, "websocket")
    with sibling.expect_request("**/cancel"):
        sibling.get_by_role("button", name="Cancel export").click()
    build.run(job.pk)
    shows(page, job, "completed")
    page.reload()
    shows(page, job, "completed")
    assert asked == []


# --- Pages that were away


def test_a_page_without_connection_says_so_calmly_and_catches_up(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    is_live(page, "websocket")
    card = page.locator("[data-export-id]").bounding_box()
    page.context.set_offline(True)
    banner = page.get_by_role("status").filter(has_text="nothing is lost")
    expect(banner).to_be_visible()
    assert page.locator("[data-export-id]").bounding_box() == card
    lifecycle.cancel(processing.pk, lifecycle.actor(alice))
    page.context.set_offline(False)
    shows(page, processing, "cancelled")
    expect(banner).to_have_count(0)
    is_live(page, "websocket")


@pytest.fixture
def remembering(open_page: OpenPage, browser: Browser, site: str, alice: User) -> Iterator[Page]:
    """A page in a browser that keeps pages for Back and Forward, which Playwright's own does not."""
    keeping = browser.browser_type.launch(
        executable_path=chromium(), args=list(FLAGS), ignore_default_args=["--disable-back-forward-cache"]
    )
    session = open_page("/", alice).context.storage_state()
    yield keeping.new_context(base_url=site, storage_state=session).new_page()
    keeping.close()


def test_a_page_back_from_the_cache_reconnects_and_downloads_nothing_again(
    remembering: Page, project: Project, alice: User, bell: list[Any]
) -> None:
    remembering.goto(project.get_absolute_url())
    job = ExportJob.objects.get(pk=start_export(remembering))
    with remembering.expect_download():
        build.run(job.pk)
    asked = watched(remembering)
    remembering.evaluate("() => { window.wasKept = true; }")
    remembering.goto("/exports/")
    lifecycle.expire(job.pk, "deleted", lifecycle.actor(alice))
    remembering.go_back(wait_until="commit")
    shows(remembering, job, "expired")
    is_live(remembering, "websocket")
    assert (remembering.evaluate("window.wasKept"), asked) == (True, [])


def test_a_hidden_page_that_draws_nothing_still_downloads(
    project: Project, alice: User, bell: list[Any], open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    job_id = start_export(page)
    page.evaluate(HOLD_FRAMES)
    page.evaluate(HIDE, True)
    with page.expect_download():
        build.run(job_id)
    expect(page.locator("[data-export-id]")).to_have_attribute("data-status", "pending")


def test_an_export_that_ended_while_the_computer_slept_is_asked_for_by_itself(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    """It ended so long ago that no snapshot has it."""
    page = open_page("/", alice)
    block_sockets(page)
    page.goto(processing.project.get_absolute_url())
    page.evaluate(HIDE, True)
    lifecycle.cancel(processing.pk, lifecycle.actor(alice))
    past = Now() - timedelta(hours=3)
    ExportJob.objects.filter(pk=processing.pk).update(changed_at=past, version=F("version") + 1)
    page.evaluate(HIDE, False)
    shows(page, processing, "cancelled")


def test_a_cancel_survives_the_page_that_asked_for_it(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    page.evaluate(NOTE_KEPT)
    page.get_by_role("button", name="Cancel export").click()
    shows(page, processing, "cancelled")
    assert page.evaluate("window.kept") == [
        f"/api/projects/{processing.project_id}/export/{processing.pk}/cancel"
    ]
