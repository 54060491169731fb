"""G17 to G19 and G22: what a page downloads by itself, and what a socket tells to whom."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

BROWSER = "tests/browser/test_incidents.py"
CHOICES = "tests/browser/test_dialog_kept.py"
CONSUMERS = "tests/exports/test_consumers.py"
CURSOR = "tests/exports/test_cursor.py"
CASE = "tests/browser/test_scenarios.py::test_a_scenario_ends_as_its_line_says"
MODULES = "tests/js/test_modules.py::test_every_test_of_the_module_passes"
STATE = "exports/static/exports/export-state.js"
WATCHERS = "tests/exports/test_watchers.py"

SHOWING = (
    Mutant(
        guarantee="G17",
        what="the claim that is granted once",
        file="exports/grants.py",
        old="if job.auto_download_claimed:",
        new="if False:",
        tests=(
            "tests/exports/test_lifecycle.py::test_the_automatic_download_is_granted_once",
            "tests/races/test_export_races.py::test_one_automatic_download_is_granted",
        ),
    ),
    Mutant(
        guarantee="G17",
        what="the page's memory that its download has started",
        file=STATE,
        old='"granted", "done"',
        new='"granted", "granted"',
        tests=(f"{MODULES}[export-state.test]",),
    ),
    Mutant(
        guarantee="G17",
        what="the tab's forgetting of what it has asked for",
        file="exports/static/exports/downloads.js",
        old="""  forget(jobId);
  say({ type: "downloadAsked", jobId });
""",
        new="""  say({ type: "downloadAsked", jobId });
""",
        tests=(f"{BROWSER}::test_a_server_that_grants_every_time_leads_to_one_download",),
    ),
    Mutant(
        guarantee="G18",
        what="the end of the wish to download at a click on Cancel",
        file=STATE,
        old='refusal: "", autoDownload: "never" }',
        new='refusal: "" }',
        tests=(f"{MODULES}[export-state.test]",),
    ),
    Mutant(
        guarantee="G18",
        what="a cancelled state that absorbs whatever comes later",
        file=STATE,
        old='if (!isNews || (wasCancelled && fields.status && fields.status !== "cancelled")) return state;',
        new="if (!isNews) return state;",
        tests=(f"{MODULES}[export-state.test]",),
    ),
    Mutant(
        guarantee="G18",
        what="the tab's memory of the click over a reload",
        file="exports/static/exports/actions.js",
        old="  downloads.forget(jobId);\n",
        new="",
        tests=(f"{BROWSER}::test_a_reload_does_not_bring_back_the_wish_to_download",),
    ),
    Mutant(
        guarantee="G18",
        what="the cancel that outlives its tab",
        file="exports/static/exports/actions.js",
        old=", { keepalive: true }",
        new="",
        tests=(f"{CASE}[cancel_and_close_the_tab_at_once]",),
    ),
    Mutant(
        guarantee="G17",
        what="the key that makes a start whose answer was lost the same export",
        file="exports/static/exports/export-dialog.js",
        old=", { headers });",
        new=");",
        tests=(f"{CHOICES}::test_a_start_whose_answer_was_lost_is_the_same_job_when_it_is_tried_again",),
    ),
    Mutant(
        guarantee="G19",
        what="the look of a page that comes back from the browser's cache",
        file="exports/static/exports/export-panel.js",
        old="    if (!persisted) return;\n",
        new="    return;\n",
        tests=(f"{CASE}[back_from_another_page_by_the_cache]",),
    ),
    Mutant(
        guarantee="G19",
        what="the look after five seconds of silence",
        file="exports/static/exports/follow.js",
        old="return silent === null ? null : BACKUP_AFTER - Math.min(silent, sinceLook);",
        new="return null;",
        tests=(f"{MODULES}[follow.test]", f"{CASE}[event_of_the_completion_lost]"),
    ),
    Mutant(
        guarantee="G19",
        what="the completion that is told before its download",
        file="exports/cursor.py",
        old="return [*earlier, events.Downloaded.of(job)]",
        new="return [events.Downloaded.of(job)]",
        tests=(f"{CURSOR}::test_a_missed_completion_is_told_before_its_download",),
    ),
    Mutant(
        guarantee="G19",
        what="the comparison of versions",
        file="exports/cursor.py",
        old="if event.version <= told.version or not is_clear",
        new="if not is_clear",
        tests=(
            f"{CURSOR}::test_nothing_is_told_twice",
            "tests/incidents/test_3_events.py::test_events_of_an_export_are_ordered_by_version",
        ),
    ),
    Mutant(
        guarantee="G19",
        what="the second look at all versions every ten seconds",
        file="exports/consumers.py",
        old="if self._cursor.is_behind(job_id, version):",
        new="if False:",
        tests=(f"{CONSUMERS}::test_a_tick_tells_what_was_never_announced",),
    ),
    Mutant(
        guarantee="G19",
        what="joining the group before the snapshot is read",
        file="exports/consumers.py",
        old="await asyncio.wait_for(self._inbox.joined.wait(), JOIN_SECONDS)",
        new="await asyncio.sleep(0)",
        tests=(f"{CONSUMERS}::test_what_happens_while_the_snapshot_is_read_is_told_after_it",),
    ),
    Mutant(
        guarantee="G19",
        what="the close of a socket that can tell nothing any more",
        file="exports/consumers.py",
        old="await self.close(CloseCode.FAILED)",
        new="pass",
        tests=(
            "tests/exports/test_consumers_in_trouble.py"
            "::test_an_unforeseen_error_closes_the_socket_so_that_the_client_comes_again",
        ),
    ),
    Mutant(
        guarantee="G19",
        what="the page's polling while it has no socket",
        file="exports/static/exports/follow.js",
        old="return silent === null ? null : POLL_EVERY - sinceLook;",
        new="return null;",
        tests=(f"{MODULES}[follow.test]",),
    ),
    Mutant(
        guarantee="G19",
        what="the page's look at what a snapshot leaves out",
        file="exports/static/exports/exchange.js",
        old="    await Promise.all(doubted.map((job) => this.lookAt(job.jobId)));\n",
        new="",
        tests=(
            "tests/browser/test_live.py"
            "::test_an_export_that_ended_while_the_computer_slept_is_asked_for_by_itself",
        ),
    ),
    Mutant(
        guarantee="G22",
        what="the right to export at each download",
        file="exports/api.py",
        old="if not Project.objects.exportable_by(request.auth).filter(pk=project_id).exists():",
        new="if False:",
        tests=("tests/exports/test_downloads.py::test_who_may_no_longer_export_may_no_longer_download",),
    ),
    Mutant(
        guarantee="G22",
        what="the second look at who watches a socket",
        file="exports/consumers.py",
        old="self._watcher = self._watcher and await watchers.still_there(self._watcher)",
        new="pass",
        tests=(f"{WATCHERS}::test_the_end_of_a_session_closes_the_socket",),
    ),
    Mutant(
        guarantee="G22",
        what="the right to see what a socket tells",
        file="exports/scopes.py",
        old="ExportJob.objects.visible_to(user)",
        new="ExportJob.objects.all()",
        tests=(f"{WATCHERS}::test_nothing_is_told_of_a_project_that_the_user_has_left",),
    ),
    Mutant(
        guarantee="G22",
        what="the sweep of exports whose user lost access",
        file="exports/sweep.py",
        old="without_access=_each(jobs.without_access(), _cancel),",
        new="without_access=0,",
        tests=("tests/exports/test_sweep.py::test_losing_the_right_to_export_cancels",),
    ),
)
