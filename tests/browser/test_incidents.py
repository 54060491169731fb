"""Reports 4 and 5, the browser's part of 3: a download after Cancel, and one that never ended.

Report 4 is about a tab in which Cancel was clicked, report 5 about one export that is downloaded again and
again, report 3 about a page that believes what is not so. Each failure is a test that states its opposite.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from exports import build, files, lifecycle
from exports.states import Status
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_promises import is_live
from tests.incidents.tabs import REMEMBER, RERENDER, Tab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_tab(open_page: OpenPage, project: Project, alice: User) -> Callable[..., Tab]:
    """Alice's, in a browser of its own unless it is given the tab beside it."""

    def opened(beside: Tab | None = None) -> Tab:
        context = beside.page.context if beside else None
        return Tab(open_page("/", alice, context=context), project)

    return opened


OpenTab = Callable[..., Tab]


# --- Report 4: after Cancel


def test_no_downloading_is_shown_after_a_cancel(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    tab.cancel()
    tab.shows("cancelled")
    tab.page.evaluate(REMEMBER)
    tab.repeat_completed(job)
    tab.settle()
    shown = tab.page.evaluate("window.shown")
    assert [words for words in shown if not words.startswith("cancelled") or "ownload" in words] == []
    assert tab.downloads == 0


def test_a_completion_that_arrives_before_the_cancels_answer_starts_no_download(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.hold("cancel")
    job = tab.start()
    tab.cancel()
    answer = tab.held("cancel")
    build.run(job.pk)
    tab.shows("completed")
    answer.continue_()
    tab.shows("cancelled")
    assert [action for action in tab.asked if action.endswith("download")] == []


def test_a_cancel_at_the_moment_of_completion_starts_no_download(open_tab: OpenTab) -> None:
    """The server has granted the automatic download and not heard of the cancel yet."""
    tab = open_tab()
    tab.hold("auto-download")
    tab.hold("cancel")
    job = tab.start()
    build.run(job.pk)
    claim = tab.held("auto-download")
    tab.cancel()
    cancel = tab.held("cancel")
    with tab.page.expect_response("**/auto-download"):
        claim.fulfill(json={"downloadUrl": "/forged"})
    cancel.continue_()
    tab.shows("cancelled")
    assert tab.downloads == 0


def test_a_poll_that_says_completed_after_a_cancel_starts_no_download(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    tab.hold("cancel")
    tab.cancel()
    tab.held("cancel")
    tab.page.route_web_socket("**/ws/exports/*", lambda socket: socket.close(code=1006))
    tab.wire.cut()
    expect(tab.page.locator("body")).to_have_attribute("data-live", "polling")
    build.run(job.pk)
    tab.shows("completed")
    tab.settle()
    assert [action for action in tab.asked if action.endswith("download")] == []


@pytest.mark.parametrize("failure", ["no answer", "503"])
def test_a_cancel_that_failed_is_said_and_starts_no_download(open_tab: OpenTab, failure: str) -> None:
    tab = open_tab()
    tab.hold("cancel")
    job = tab.start()
    tab.cancel()
    answer = tab.held("cancel")
    answer.abort() if failure == "no answer" else answer.fulfill(status=503, json={"detail": "Try again."})
    expect(tab.card.get_by_role("alert")).to_contain_text("ry again")
    build.run(job.pk)
    expect(tab.card.get_by_role("link", name="Download")).to_be_visible()
    assert [action for action in tab.asked if action.endswith("download")] == []


def test_a_reload_does_not_bring_back_the_wish_to_download(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.hold("cancel")
    job = tab.start()
    tab.cancel()
    tab.held("cancel")
    tab.page.reload()
    is_live(tab.page, "websocket")
    build.run(job.pk)
    tab.shows("completed")
    tab.settle()
    assert [action for action in tab.asked if action.endswith("download")] == []


def test_a_cancel_in_one_tab_shows_in_all(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    others = [open_tab(beside=tab), open_tab()]
    for other in others:
        is_live(other.page, "websocket")
    tab.cancel()
    for each in (tab, *others):
        each.shows("cancelled")
        each.repeat_completed(job)
        each.settle()
        each.shows("cancelled")
    assert sum(each.downloads for each in (tab, *others)) == 0


def test_a_double_click_cancels_once(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.hold("cancel")
    tab.start()
    tab.card.get_by_role("button", name="Cancel export").dblclick()
    tab.card.locator("form[data-action=cancel]").evaluate("form => form.requestSubmit()")
    tab.held("cancel").continue_()
    tab.shows("cancelled")
    assert tab.asked.count("cancel") == 1


# --- Report 5: again and again


def test_an_export_downloads_itself_at_most_once(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    beside = open_tab(beside=tab)
    with tab.page.expect_download():
        build.run(job.pk)
    for each in (tab, beside):
        each.repeat_completed(job)
        each.page.evaluate(RERENDER)
        each.wire.cut()
        each.settle()
        each.page.reload()
        is_live(each.page, "websocket")
        each.settle()
    assert (tab.downloads, beside.downloads) == (1, 0)


def test_a_server_that_grants_every_time_leads_to_one_download(open_tab: OpenTab) -> None:
    """What keeps the tab itself from asking twice."""
    tab = open_tab()
    tab.page.route("**/auto-download", lambda route: route.fulfill(json={"downloadUrl": "/forged"}))
    job = tab.start()
    with tab.page.expect_download():
        build.run(job.pk)
    tab.repeat_completed(job)
    tab.page.evaluate(RERENDER)
    tab.page.reload()
    tab.shows("completed")
    tab.settle()
    assert [action for action in tab.asked if action.endswith("download")] == ["auto-download", "download"]


def test_a_copied_tab_downloads_nothing_that_the_first_one_did(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    wishes = tab.page.evaluate("Object.entries(sessionStorage)")
    with tab.page.expect_download():
        build.run(job.pk)
    copy = open_tab(beside=tab)
    copy.page.evaluate("wishes => wishes.forEach((wish) => sessionStorage.setItem(...wish))", wishes)
    with copy.page.expect_response("**/auto-download") as refused:
        copy.page.reload()
    copy.settle()
    assert (refused.value.status, copy.downloads) == (409, 0)


def test_a_claim_that_fails_is_not_repeated(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.hold("auto-download")
    job = tab.start()
    build.run(job.pk)
    tab.held("auto-download").abort()
    tab.repeat_completed(job)
    tab.page.evaluate(RERENDER)
    tab.settle()
    assert (tab.asked.count("auto-download"), tab.downloads) == (1, 0)


def test_a_download_that_fails_is_not_repeated(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.hold("auto-download")
    job = tab.start()
    build.run(job.pk)
    claim = tab.held("auto-download")
    files.remove_job(job.pk)
    claim.continue_()
    tab.shows("expired")
    tab.repeat_completed(job)
    tab.page.evaluate(RERENDER)
    tab.settle()
    assert tab.downloads == 1


def test_a_reload_during_the_export_keeps_its_one_download(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    tab.page.reload()
    is_live(tab.page, "websocket")
    with tab.page.expect_download():
        build.run(job.pk)
    assert tab.downloads == 1


def test_a_page_that_was_left_during_the_claim_starts_no_download(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.hold("auto-download")
    job = tab.start()
    build.run(job.pk)
    tab.held("auto-download")
    tab.page.goto("/")
    tab.page.go_back()
    tab.shows("completed")
    tab.settle()
    assert (tab.asked.count("auto-download"), tab.downloads) == (1, 0)


# --- Report 3: a page that believes what is not so


def test_a_completion_that_the_server_denies_starts_no_download(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    with tab.page.expect_response("**/auto-download") as refused:
        tab.repeat_completed(job, times=1)
    tab.settle()
    assert (refused.value.status, tab.downloads) == (404, 0)


def test_events_in_the_wrong_order_end_in_cancelled(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    tab.wire.forge("cancelled", job, 40)
    tab.wire.forge("completed", job, 39, exportSize=1)
    tab.wire.forge("progress", job, 38, progress=50)
    tab.settle()
    tab.shows("cancelled")
    assert tab.downloads == 0


def test_an_old_event_changes_nothing(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    tab.wire.forge("failed", job, 40, error="No.", errorCode="build_failed", retryable=True)
    tab.wire.forge("progress", job, 39, progress=50)
    tab.wire.forge("completed", job, 38, exportSize=1)
    tab.settle()
    tab.shows("failed")
    assert "auto-download" not in tab.asked


def test_a_reload_shows_the_servers_truth(open_tab: OpenTab) -> None:
    tab = open_tab()
    job = tab.start()
    tab.repeat_completed(job)
    tab.shows("completed")
    lifecycle.cancel(job.pk, lifecycle.actor(job.user))
    tab.page.reload()
    tab.shows("cancelled")
    kept = tab.page.evaluate("JSON.stringify(localStorage)")
    assert [status for status in Status.values if status in kept] == []
