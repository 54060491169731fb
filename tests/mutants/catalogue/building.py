"""G7 to G9, G16, G23 and G24: what an attempt may do, and what lies on disk afterwards."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MOVES = "tests/exports/test_lifecycle.py"
MORE = "tests/races/test_more_promises.py"
DOWNLOADS = "tests/exports/test_downloads.py"
SWEEP = "tests/exports/test_sweep.py"
FULL = "tests/faults/test_disk_full.py"

BUILDING = (
    Mutant(
        guarantee="G7",
        what="the check of the attempt",
        file="exports/lifecycle.py",
        old="if attempt is not None and (job.attempt, job.status) != (attempt, Status.PROCESSING):",
        new="if attempt is not None and job.status != Status.PROCESSING:",
        tests=(
            f"{MOVES}::test_an_old_attempt_changes_nothing_once_a_newer_one_was_claimed[complete]",
            "tests/exports/test_life_model.py::test_no_order_of_events_breaks_a_promise",
        ),
    ),
    Mutant(
        guarantee="G7",
        what="the attempt in the heartbeat",
        file="exports/lifecycle.py",
        old="WHERE id = %s AND attempt = %s AND status",
        new="WHERE id = %s AND %s > 0 AND status",
        tests=(
            f"{MOVES}::test_an_old_attempt_changes_nothing_once_a_newer_one_was_claimed[beat]",
            "tests/faults/test_workers.py::test_a_frozen_horse_changes_nothing_when_it_wakes",
        ),
    ),
    Mutant(
        guarantee="G7",
        what="the database's hold on the attempt",
        file="exports/migrations/0003_audit_row_alone.py",
        old="IF NEW.attempt <> OLD.attempt +",
        new="IF FALSE AND NEW.attempt <> OLD.attempt +",
        tests=(f"{MORE}::test_the_attempt_cannot_change_without_a_claim",),
    ),
    Mutant(
        guarantee="G8",
        what="the flush of the archive before it has its name",
        file="exports/files.py",
        old="os.fsync(archive.fileno())",
        new="pass",
        tests=(
            f"{FULL}::test_a_disk_that_is_full_at_publishing_leaves_no_file[fsync-2]",
            f"{MORE}::test_an_archive_is_on_disk_before_it_has_its_name",
        ),
    ),
    Mutant(
        guarantee="G8",
        what="the flush of the folder before the row names the archive",
        file="exports/files.py",
        old="_flush_folder(final.parent)",
        new="pass",
        tests=(f"{MORE}::test_an_archive_is_on_disk_before_it_has_its_name",),
    ),
    Mutant(
        guarantee="G8",
        what="the end of an export whose file is gone",
        file="exports/downloads.py",
        old='lifecycle.expire(job_id, "file_missing", lifecycle.SYSTEM)',
        new="pass",
        tests=(f"{DOWNLOADS}::test_a_missing_file_expires_the_job",),
    ),
    Mutant(
        guarantee="G9",
        what="the size of the file against the row",
        file="exports/downloads.py",
        old="if os.fstat(file.fileno()).st_size == _size(job):",
        new="if True:",
        tests=(f"{DOWNLOADS}::test_a_file_of_another_size_is_not_sent",),
    ),
    Mutant(
        guarantee="G9",
        what="the cut of a body that ends too soon",
        file="exports/files.py",
        old='raise OSError("The file is shorter than it was.")',
        new="return",
        tests=(
            "tests/faults/test_truncated_files.py"
            "::test_a_file_that_shrinks_while_it_is_sent_ends_short_and_the_connection_is_cut",
        ),
    ),
    Mutant(
        guarantee="G9",
        what="the file that a range is to continue",
        file="exports/downloads.py",
        old='if request.method != "GET" or request.headers.get("If-Range", _etag(job)) != _etag(job):',
        new='if request.method != "GET":',
        tests=(f"{DOWNLOADS}::test_another_file_than_if_range_names_is_sent_whole",),
    ),
    Mutant(
        guarantee="G16",
        what="the search for files that nobody owns",
        file="exports/sweep.py",
        old="orphans=_remove_orphans(),",
        new="orphans=0,",
        tests=(f"{SWEEP}::test_files_that_no_live_attempt_owns_are_removed",),
    ),
    Mutant(
        guarantee="G16",
        what="the protection of what is being built",
        file="exports/sweep.py",
        old="status__in=(Status.PROCESSING, Status.COMPLETED)",
        new="status__in=(Status.COMPLETED,)",
        tests=(f"{SWEEP}::test_the_staging_of_a_running_attempt_is_kept",),
    ),
    Mutant(
        guarantee="G16",
        what="the order of looking: folders, then rows",
        file="exports/sweep.py",
        old="""    found = list(files.present())
    live = ExportJob.objects.filter(status__in=(Status.PROCESSING, Status.COMPLETED))
    owners = set(live.filter(pk__in={job_id for job_id, _, _ in found}).values_list("pk", "attempt"))
""",
        new="""    live = ExportJob.objects.filter(status__in=(Status.PROCESSING, Status.COMPLETED))
    owners = set(live.values_list("pk", "attempt"))
    found = list(files.present())
""",
        tests=(f"{MORE}::test_an_archive_that_is_published_while_a_sweep_looks_is_kept",),
    ),
    Mutant(
        guarantee="G16",
        what="the removal of an archive that was published in vain",
        file="exports/build.py",
        old="files.remove_published(published.name)",
        new="pass",
        tests=(
            "tests/incidents/test_1_backend_race.py::test_a_cancel_in_the_last_moment_before_completion_wins",
        ),
    ),
    Mutant(
        guarantee="G16",
        what="the sweep of what ended exports left",
        file="exports/sweep.py",
        old="cleaned=_each(jobs.uncleaned(), clean),",
        new="cleaned=0,",
        tests=(f"{SWEEP}::test_what_a_cancel_left_is_cleaned",),
    ),
    Mutant(
        guarantee="G23",
        what="the word to the work horse at SIGTERM",
        file="exports/worker.py",
        old="""super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self._tell_horse_to_stop()
""",
        new="""super().handle_warm_shutdown_request()
""",
        tests=("tests/faults/test_workers.py::test_a_worker_told_to_stop_gives_its_job_back",),
    ),
    Mutant(
        guarantee="G23",
        what="the memory of a SIGTERM from before the fork",
        file="exports/worker.py",
        old="if self._stop_requested:",
        new="if False:",
        tests=(
            "tests/faults/test_drain.py"
            "::test_a_worker_told_to_stop_in_the_instant_of_its_fork_gives_the_job_back[before-fork]",
        ),
    ),
    Mutant(
        guarantee="G24",
        what="the name of a full disk",
        file="exports/build.py",
        old="if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):",
        new="if False:",
        tests=(
            "tests/exports/test_build.py::test_a_full_disk_fails_with_a_clear_sentence",
            f"{FULL}::test_an_export_whose_disk_fills_up_midway_fails_and_leaves_nothing",
        ),
    ),
    Mutant(
        guarantee="G24",
        what="the end of the staging folder",
        file="exports/files.py",
        old="""    finally:
        shutil.rmtree(folder, ignore_errors=True)
""",
        new="""    finally:
        pass
""",
        tests=("tests/exports/test_build.py::test_a_full_disk_fails_with_a_clear_sentence",),
    ),
)
