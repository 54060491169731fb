"""Scenarios with pages that are loaded anew, several tabs and people, and servers that go and come. See `scenarios`."""

from __future__ import annotations

from playwright.sync_api import expect

from exports import lifecycle
from exports.messages import Failure
from exports.models import ExportJob
from tests.browser.conftest import PATIENCE
from tests.browser.stage import ObservedTab, Stage
from tests.conftest import add_image
from tests.incidents.conftest import horse_of, under_way
from tests.processes import kill

MANY = 300  # images: work for a second or two, so that a worker can be stopped in the middle of it

# --- Reload in each state


def reload_while_pending(stage: Stage) -> None:
    tab, job = stage.started()
    tab.reload()
    tab.shows("pending")
    stage.build(job)
    tab.shows("completed")


def reload_while_processing(stage: Stage) -> None:
    tab, job = stage.started()

    def reload() -> None:
        tab.reload()
        tab.shows("processing")

    stage.build(job, while_processing=reload)
    tab.shows("completed")


def reload_when_completed(stage: Stage) -> None:
    _completed(stage).reload()


def reload_when_failed(stage: Stage) -> None:
    tab, job = stage.started()
    attempt = lifecycle.claim(job.pk).attempt
    lifecycle.fail(job.pk, attempt, Failure("build_failed", "It could not be built.", retryable=True))
    tab.shows("failed")
    tab.reload()


def reload_when_cancelled(stage: Stage) -> None:
    tab, job = stage.started()
    tab.cancel_and_wait()
    tab.reload()
    stage.build(job)


def reload_when_expired(stage: Stage) -> None:
    tab = _completed(stage)
    job = ExportJob.objects.get()
    lifecycle.expire(job.pk, "deleted", lifecycle.actor(job.user))
    tab.shows("expired")
    tab.reload()


def _completed(stage: Stage) -> ObservedTab:
    """A tab whose export has downloaded itself."""
    tab, job = stage.started()
    with tab.page.expect_download():
        stage.build(job)
    tab.shows("completed")
    return tab


# --- Tabs and people


def two_tabs_of_the_same_browser(stage: Stage) -> None:
    tab, job = stage.started()
    beside = stage.tab(beside=tab)
    stage.build(job)
    for each in (tab, beside):
        each.shows("completed")
        each.reload()


def two_tabs_and_cancel_in_the_other(stage: Stage) -> None:
    tab, job = stage.started()
    beside = stage.tab(beside=tab)
    stage.build(job, while_processing=beside.cancel_and_wait)
    for each in (tab, beside):
        each.shows("cancelled")


def tab_copied_with_its_memory(stage: Stage) -> None:
    """As a browser does that duplicates a tab: both believe that they started the export."""
    tab, job = stage.started()
    copy = stage.tab(beside=tab)
    wishes = tab.page.evaluate("Object.entries(sessionStorage)")
    copy.page.evaluate("wishes => wishes.forEach((wish) => sessionStorage.setItem(...wish))", wishes)
    copy.reload()
    stage.build(job)
    for each in (tab, copy):
        each.shows("completed")


def colleague_s_export_seen_by_the_owner(stage: Stage) -> None:
    watching = stage.tab()
    tab = stage.tab(stage.colleague)
    job = tab.start()
    watching.shows("pending")
    stage.build(job)
    for each in (tab, watching):
        each.shows("completed")


def colleague_s_export_cancelled_by_the_owner(stage: Stage) -> None:
    watching = stage.tab()
    tab = stage.tab(stage.colleague)
    job = tab.start()
    stage.build(job, while_processing=watching.cancel_and_wait)
    for each in (tab, watching):
        each.shows("cancelled")


def tab_closed_during_the_export_and_opened_again(stage: Stage) -> None:
    tab, job = stage.started()
    stage.build(job, while_processing=lambda: stage.close(tab))
    stage.tab(beside=tab).shows("completed")


def back_from_another_page_by_the_cache(stage: Stage) -> None:
    """The very page comes back, frozen where it was, when the export is long completed."""
    tab, job = stage.started()
    tab.page.evaluate("() => addEventListener('pageshow', ({persisted}) => { window.wasFrozen = persisted })")
    tab.page.goto("/")
    stage.build(job)
    tab.page.evaluate("history.back()")
    tab.shows("completed")
    assert tab.page.evaluate("window.wasFrozen") is True


def back_by_the_cache_after_the_download(stage: Stage) -> None:
    tab, job = stage.started()
    with tab.page.expect_download():
        stage.build(job)
    tab.page.evaluate("() => addEventListener('pageshow', ({persisted}) => { window.wasFrozen = persisted })")
    tab.page.goto("/")
    tab.page.evaluate("history.back()")
    tab.is_live("websocket")
    assert tab.page.evaluate("window.wasFrozen") is True


# --- Networks and servers


def sockets_blocked_by_a_proxy(stage: Stage) -> None:
    stage.front.refuses_sockets = True
    tab, job = stage.started()
    stage.build(job, while_processing=lambda: tab.shows("processing"))
    tab.shows("completed")
    tab.is_live("polling")


def sockets_blocked_and_cancel_while_processing(stage: Stage) -> None:
    stage.front.refuses_sockets = True
    tab, job = stage.started()
    stage.build(job, while_processing=tab.cancel_and_wait)


def offline_while_processing_and_back(stage: Stage) -> None:
    tab, job = stage.started()

    def unplug() -> None:
        stage.front.cut()
        tab.page.context.set_offline(True)
        tab.is_live("offline")

    stage.build(job, while_processing=unplug)
    stage.front.mend()
    tab.page.context.set_offline(False)
    tab.shows("completed")


def web_server_restarted_while_processing(stage: Stage) -> None:
    tab, job = stage.started()

    def restart() -> None:
        stage.web.kill()
        expect(tab.page.locator("body")).not_to_have_attribute("data-live", "websocket")
        stage.web.start()

    stage.build(job, while_processing=restart)
    tab.shows("completed")
    tab.is_live("websocket")


def redis_killed_and_back_while_processing(stage: Stage) -> None:
    """It comes back empty: nobody is told of the end by a message."""
    for number in range(MANY):
        add_image(stage.project, f"more-{number:03}.png", None)
    with stage.own_servers() as (valkey, worker):
        tab, job = stage.started()
        under_way(job)
        builder = horse_of(worker)
        builder.suspend()
        kill(valkey)
        valkey.start()
        with tab.page.expect_download(timeout=PATIENCE * 2) as download:
            builder.resume()
        download.value.path()  # all of it, before that web server is stopped
