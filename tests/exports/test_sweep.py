"""What the scheduler repeats: whatever a dead process left behind is put right from the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from exports import build, cleaning, dispatch, files, lifecycle, sweep
from exports.models import ExportJob
from exports.states import Status
from projects.models import Membership, Project
from tests.jobs import request_for

Bell = list[tuple[str, str, str]]


def age(job: ExportJob, **columns: timedelta) -> None:
    """Move times of the row into the past; the version grows, as the database insists."""
    moved = ", ".join(f"{column} = {column} - %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE exports_exportjob SET {moved}, version = version + 1 WHERE id = %s",
            [*columns.values(), job.pk],
        )


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


@pytest.fixture
def completed_of(project: Project, bell: Bell) -> Callable[..., ExportJob]:
    """A completed export of Alice's with these options."""

    def make(**choices: Any) -> ExportJob:
        made, _ = lifecycle.request(request_for(project, project.owner, **choices))
        build.run(made.pk)
        return made

    return make


def test_a_job_whose_call_was_lost_is_rung_again(job: ExportJob, bell: Bell) -> None:
    age(job, rung_at=timedelta(minutes=1))

    assert sweep.sweep().forgotten == 1

    assert bell[-1] == ("exports.jobs.build", str(job.pk), f"export-{job.pk}-2")


def test_a_job_in_a_long_queue_is_not_rung_again(project: Any) -> None:
    waiting, _ = lifecycle.request(request_for(project, project.owner))
    age(waiting, rung_at=timedelta(minutes=1))

    assert dispatch.waiting() == {f"export-{waiting.pk}-1"}
    assert sweep.sweep().forgotten == 0


def test_a_silent_attempt_is_requeued(processing: ExportJob, bell: Bell) -> None:
    age(processing, heartbeat_at=timedelta(seconds=31))

    assert sweep.sweep().abandoned == 1

    assert fresh(processing).status == Status.PENDING
    assert bell[-1] == ("exports.jobs.build", str(processing.pk), f"export-{processing.pk}-2")


def test_an_attempt_heard_of_lately_is_left_alone(processing: ExportJob) -> None:
    age(processing, heartbeat_at=timedelta(seconds=25))

    assert sweep.sweep().abandoned == 0


def test_an_overlong_attempt_is_timed_out(processing: ExportJob) -> None:
    age(processing, started_at=timedelta(hours=5))

    sweep.sweep()

    assert (fresh(processing).status, fresh(processing).cancel_reason) == (Status.CANCELLED, "timeout")


def test_an_old_archive_expires_and_its_file_goes(completed: ExportJob) -> None:
    age(completed, expires_at=timedelta(days=8))

    sweep.sweep()
    sweep.sweep()

    assert fresh(completed).status == Status.EXPIRED
    assert fresh(completed).bytes_freed == completed.file_size
    assert list(files.present()) == []


def test_what_a_cancel_left_is_cleaned(completed: ExportJob) -> None:
    lifecycle.cancel(completed.pk, "user:1")

    sweep.sweep()

    assert fresh(completed).cleaned_at is not None
    assert list(files.present()) == []


def test_a_completed_archive_is_never_removed(completed: ExportJob) -> None:
    assert sweep.sweep().orphans == 0

    assert [path.name for _, _, path in files.present()] == [completed.file_name]


@pytest.mark.parametrize("attempt", [1, 7])
def test_files_that_no_live_attempt_owns_are_removed(completed: ExportJob, attempt: int) -> None:
    orphan = settings.EXPORT_ROOT / "published" / f"{uuid4()}-{attempt}.zip"
    orphan.write_bytes(b"garbage")
    older = settings.EXPORT_ROOT / "staging" / f"{completed.pk}-{attempt + 1}"
    older.mkdir()

    assert sweep.sweep().orphans == 2

    assert not orphan.exists()
    assert not older.exists()


def test_the_staging_of_a_running_attempt_is_kept(processing: ExportJob) -> None:
    with files.staging(processing.pk, processing.attempt) as staged:
        assert sweep.sweep().orphans == 0

        assert staged.folder.exists()


def test_losing_the_right_to_export_cancels(project: Any, bob: Any, bell: Bell) -> None:
    running, _ = lifecycle.request(request_for(project, bob))
    Membership.objects.filter(user=bob).delete()

    sweep.sweep()

    assert (fresh(running).status, fresh(running).cancel_reason) == (Status.CANCELLED, "system_cancelled")


def test_a_deactivated_account_loses_its_running_exports(job: ExportJob) -> None:
    job.user.is_active = False
    job.user.save(update_fields=["is_active"])

    sweep.sweep()

    assert fresh(job).status == Status.CANCELLED


def test_exports_of_those_who_may_are_left_alone(project: Any, bob: Any, job: ExportJob, bell: Bell) -> None:
    lifecycle.request(request_for(project, bob))

    assert sweep.sweep().without_access == 0


def test_the_sweep_goes_on_while_redis_is_away(
    processing: ExportJob, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    age(processing, heartbeat_at=timedelta(minutes=1))
    settings.REDIS_URL = "unix:///nowhere.sock"
    dispatch.connection.cache_clear()

    assert sweep.sweep().abandoned == 1

    dispatch.connection.cache_clear()


def test_the_command_says_what_it_did(processing: ExportJob, capsys: pytest.CaptureFixture[str]) -> None:
    age(processing, heartbeat_at=timedelta(minutes=1))

    call_command("sweep_exports")

    assert "abandoned 1" in capsys.readouterr().out


def test_a_removed_project_takes_its_exports_along(
    project: Project, job: ExportJob, completed_of: Callable[..., ExportJob]
) -> None:
    done = completed_of(pixel_to_micrometer_scale=2)
    Project.objects.filter(pk=project.pk).remove()

    swept = sweep.sweep()

    assert (swept.without_access, swept.unreachable) == (1, 1)
    assert (fresh(job).status, fresh(job).cancel_reason) == (Status.CANCELLED, "system_cancelled")
    assert fresh(done).status == Status.EXPIRED
    assert list(files.present()) == []


def test_what_is_left_of_a_job_that_still_writes_is_not_called_clean(
    cancelled: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files._staging_root() / f"{cancelled.pk}-1").mkdir()
    monkeypatch.setattr(files, "remove", lambda _: 0)  # as if it had come back at once

    cleaning.clean(cancelled.pk)

    assert fresh(cancelled).cleaned_at is None
