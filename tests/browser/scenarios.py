"""What people and networks do to an export. Each is a line of docs/BROWSER.md, by its name, and ends as that says.

Nothing here is waited for by chance: the worker is held, answers and frames are kept back, and let go in order.
"""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import expect

from exports import files, lifecycle
from exports.models import ExportJob
from exports.states import Status
from tests.browser.stage import Stage
from tests.incidents.outside import fresh
from tests.incidents.tabs import RERENDER
from tests.waiting import until

LOOK = "exports/current?scope=visible"

# --- Cancel


def cancel_while_waiting(stage: Stage) -> None:
    tab, job = stage.started()
    tab.cancel_and_wait()
    stage.build(job)


def cancel_while_processing(stage: Stage) -> None:
    tab, job = stage.started()

    def cancel() -> None:
        tab.shows("processing")
        tab.cancel_and_wait()

    stage.build(job, while_processing=cancel)


def cancel_at_the_moment_of_completion_the_cancel_first(stage: Stage) -> None:
    """The archive is published; the worker is about to say so."""
    tab, job = stage.started()
    stage.build(job, before_completion=tab.cancel_and_wait)


def cancel_at_the_moment_of_completion_the_completion_first(stage: Stage) -> None:
    """The export is completed, and the page does not know it when Cancel is clicked."""
    tab, job = stage.started()
    frames = tab.keep_frames(lambda: stage.build(job), until_kept="completed")
    tab.cancel_and_wait()
    tab.keeps_showing("cancelled", lambda: tab.wire.deliver(*frames))


def cancel_while_the_automatic_download_is_granted(stage: Stage) -> None:
    tab, job = stage.started()
    tab.hold("auto-download")
    tab.hold("cancel")
    stage.build(job)
    claim = tab.held("auto-download")
    tab.cancel()
    cancel = tab.held("cancel")
    with tab.page.expect_response("**/auto-download"):
        claim.continue_()
    cancel.continue_()
    tab.shows("cancelled")


def cancel_after_the_download_has_begun(stage: Stage) -> None:
    tab, job = stage.started()
    tab.keep_frames(lambda: stage.build(job), until_kept="completed")
    tab.wire.deliver(tab.wire.kept[-1])
    tab.wire.is_keeping = True  # the page is not told that its download has begun
    tab.wait_for(lambda: fresh(job).download_count)
    tab.cancel()
    expect(tab.card.get_by_role("alert")).to_contain_text("downloaded")
    tab.wire.is_keeping = False


def cancel_whose_answer_is_lost(stage: Stage) -> None:
    tab, job = stage.started()
    tab.hold("cancel")
    tab.cancel()
    answer = tab.held("cancel")
    answer.fetch()
    answer.abort()
    tab.shows("cancelled")
    stage.build(job)


def cancel_and_close_the_tab_at_once(stage: Stage) -> None:
    """The request is still on its way when its page is gone."""
    tab, job = stage.started()
    with stage.front.holding("/cancel") as is_held:
        tab.cancel()
        tab.wait_for(is_held.is_set)
        stage.close(tab)
    with suppress(TimeoutError):
        until(lambda: fresh(job).status == Status.CANCELLED, seconds=5)
    stage.tab(beside=tab)
    stage.build(job)


def cancel_and_reload_before_the_answer(stage: Stage) -> None:
    """The cancel never arrives: the export is completed, and still not downloaded by itself."""
    tab, job = stage.started()
    tab.hold("cancel")
    tab.cancel()
    tab.held("cancel")
    tab.reload()
    stage.build(job)
    tab.shows("completed")


def double_click_on_cancel(stage: Stage) -> None:
    tab, job = stage.started()
    tab.hold("cancel")
    tab.card.get_by_role("button", name="Cancel export").dblclick()
    tab.held("cancel").continue_()
    tab.shows("cancelled")
    stage.build(job)
    assert tab.asked.count("cancel") == 1


# --- Start and download


def nothing_special(stage: Stage) -> None:
    tab, job = stage.started()
    stage.build(job, while_processing=lambda: tab.shows("processing"))
    tab.shows("completed")


def double_click_on_start(stage: Stage) -> None:
    tab = stage.tab()
    tab.hold("export")
    tab.page.get_by_role("button", name="Export", exact=True).click()
    tab.page.get_by_role("button", name="Start export").dblclick()
    tab.held("export").continue_()
    tab.shows("pending")
    stage.build(ExportJob.objects.get())
    tab.shows("completed")
    assert tab.asked.count("export") == 1


def automatic_download_not_wanted(stage: Stage) -> None:
    tab = stage.tab()
    tab.page.get_by_role("button", name="Export", exact=True).click()
    tab.page.get_by_label("Download when ready").uncheck()
    tab.page.get_by_role("button", name="Start export").click()
    tab.shows("pending")
    stage.build(ExportJob.objects.get())
    tab.shows("completed")


def answer_to_the_claim_is_lost(stage: Stage) -> None:
    """The server has granted the one automatic download, and the page does not know."""
    tab, job = stage.started()
    tab.hold("auto-download")
    stage.build(job)
    claim = tab.held("auto-download")
    claim.fetch()
    claim.abort()
    tab.repeat_completed(job)
    tab.page.evaluate(RERENDER)
    tab.reload()
    tab.shows("completed")


def file_is_gone_when_the_download_begins(stage: Stage) -> None:
    tab, job = stage.started()
    tab.hold("auto-download")
    stage.build(job)
    claim = tab.held("auto-download")
    files.remove_job(job.pk)
    claim.continue_()
    tab.shows("expired")
    tab.reload()


def page_left_during_the_claim(stage: Stage) -> None:
    tab, job = stage.started()
    tab.hold("auto-download")
    stage.build(job)
    tab.held("auto-download")
    tab.page.goto("/")
    tab.page.goto(stage.project.get_absolute_url())
    tab.shows("completed")


# --- Events


def events_reversed(stage: Stage) -> None:
    """The end first; what led to it comes when the page has the file and knows it."""
    tab, job = stage.started()
    end, *earlier = reversed(tab.keep_frames(lambda: stage.build(job), until_kept="completed"))
    tab.wire.deliver(end)
    tab.shows("completed")
    expect(tab.card.get_by_role("button", name="Cancel export")).to_have_count(0)
    tab.keeps_showing("completed", lambda: tab.wire.deliver(*earlier))


def events_of_a_cancelled_export_reversed(stage: Stage) -> None:
    tab, job = stage.started()

    def cancelled_build() -> None:
        stage.build(job, before_completion=lambda: lifecycle.cancel(job.pk, lifecycle.actor(job.user)))

    end, *earlier = reversed(tab.keep_frames(cancelled_build, until_kept="cancelled"))
    tab.wire.deliver(end)
    tab.shows("cancelled")
    tab.keeps_showing("cancelled", lambda: tab.wire.deliver(*earlier))


def event_of_the_completion_lost(stage: Stage) -> None:
    tab, job = stage.started()
    tab.keep_frames(lambda: stage.build(job), until_kept="completed")
    tab.shows("completed")


def fifty_duplicates_of_the_completion(stage: Stage) -> None:
    tab, job = stage.started()
    frames = tab.keep_frames(lambda: stage.build(job), until_kept="completed")
    tab.wire.deliver(*frames, *50 * frames[-1:])
    tab.page.evaluate(RERENDER)
    tab.shows("completed")
    tab.is_live("websocket")
    tab.wire.deliver(*50 * frames[-1:])


def fifty_newer_completions_after_a_cancel(stage: Stage) -> None:
    """Of which no server that works sends a single one."""
    tab, job = stage.started()
    tab.cancel_and_wait()
    tab.keeps_showing("cancelled", lambda: tab.repeat_completed(job))


def completion_forged(stage: Stage) -> None:
    """An event says so, the server does not: it is asked before anything is downloaded."""
    tab, job = stage.started()
    with tab.page.expect_response("**/auto-download"):
        tab.repeat_completed(job, times=1)
    tab.reload()


def status_answer_older_than_the_event(stage: Stage) -> None:
    """A look at the server is held while its answer is overtaken."""
    tab, job = stage.started()
    tab.hold(LOOK)
    stage.front.refuses_sockets = True
    tab.wire.cut()
    look = tab.held(LOOK)
    answer = look.fetch()
    stage.front.refuses_sockets = False
    tab.is_live("websocket")
    stage.build(job)
    tab.shows("completed")
    tab.keeps_showing("completed", lambda: look.fulfill(response=answer))
    tab.page.unroute(f"**/{LOOK}")
