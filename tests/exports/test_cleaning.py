"""The file of a cancelled or deleted export goes at once, even when no worker is free."""

from __future__ import annotations

from typing import Any

import pytest

from exports import build, dispatch, files, lifecycle
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.jobs import request_for
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def archive(project: Project) -> ExportJob:
    """Completed; nobody answers the bell."""
    made, _ = lifecycle.request(request_for(project, project.owner))
    build.run(made.pk)
    return made


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def test_a_cancelled_archive_goes_without_a_worker(archive: ExportJob) -> None:
    size = fresh(archive).file_size
    lifecycle.cancel(archive.pk, "user:1")
    until(lambda: fresh(archive).cleaned_at)
    assert list(files.present()) == []
    assert fresh(archive).bytes_freed == size


def test_a_deleted_archive_goes_without_a_worker(archive: ExportJob) -> None:
    lifecycle.expire(archive.pk, "deleted", "user:1")
    until(lambda: fresh(archive).cleaned_at)
    assert list(files.present()) == []


def test_what_cannot_be_removed_now_is_left_to_the_sweep(
    archive: ExportJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError("no")

    monkeypatch.setattr(files, "remove_job", refuse)
    lifecycle.cancel(archive.pk, "user:1")
    dispatch._cleaner.submit(lambda: None).result()
    assert "not_cleaned" in caplog.text
    assert (fresh(archive).status, fresh(archive).cleaned_at) == (Status.CANCELLED, None)
