"""From a claimed job to a published archive."""

from __future__ import annotations

import zipfile

from django.conf import settings

from exports.models import ExportJob
from exports.states import Status


def published(job: ExportJob) -> zipfile.ZipFile:
    return zipfile.ZipFile(settings.EXPORT_ROOT / "published" / str(job.file_name))


def test_a_build_ends_with_a_whole_archive(completed: ExportJob) -> None:
    archive = published(completed)

    assert completed.status == Status.COMPLETED
    assert archive.testzip() is None
    assert "images/a.png" in archive.namelist()
