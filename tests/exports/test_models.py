"""Facts about one row, and how the rows are found."""

from __future__ import annotations

from django.db import connection

from exports.models import ExportJob


def test_the_newest_exports_are_found_without_sorting_all(db: None) -> None:
    newest = ExportJob.objects.filter(completed_at__isnull=False, image_count__gt=0).order_by("-completed_at")
    with connection.cursor() as cursor:
        # A small table is sorted all the same, unless nothing but the index is left to choose.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = newest[:20].explain()

    assert "export_recent" in plan
    assert "Sort" not in plan


def test_a_duration_is_estimated_from_what_was_exported_lately(completed: ExportJob) -> None:
    assert ExportJob(image_count=0).estimated_duration == 0
    assert ExportJob(image_count=10**6).estimated_duration > 0


def test_without_earlier_exports_no_duration_is_claimed(db: None) -> None:
    assert ExportJob(image_count=5).estimated_duration is None


def test_a_download_is_named_after_the_project_and_its_time(completed: ExportJob) -> None:
    assert completed.download_name == f"Nuclei_{completed.created_at:%Y-%m-%d_%H%M}.zip"


def test_a_name_that_no_file_can_have_is_replaced(job: ExportJob) -> None:
    job.project_name = "../.."

    assert job.download_name.startswith("export_")
