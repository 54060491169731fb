"""A change of a project and the claim of an export meet: the export holds all of the change, or none (G27)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.db import transaction

from exports import lifecycle, snapshot
from exports.models import ExportJob
from projects.images import replace_segmentation
from projects.models import Image
from projects.outlines import OutlinedObject
from tests.races.conftest import outcome_of

CHANGED = [OutlinedObject([[[(1.0, 1.0), (9.0, 1.0), (1.0, 9.0)]]], class_name="changed")]


def change_all(job: ExportJob) -> None:
    for image in Image.objects.filter(project=job.project):
        replace_segmentation(image, CHANGED, None)


def class_names(job: ExportJob, folder: Path) -> tuple[str, ...]:
    return snapshot.read(job, folder)[0].class_names


def test_a_change_that_is_not_committed_at_the_claim_is_not_in_the_export(
    job: ExportJob, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        change_all(job)
        claimed = pool.submit(outcome_of, lambda: lifecycle.claim(job.pk)).result()
    assert isinstance(claimed, ExportJob)
    assert class_names(claimed, tmp_path) == ("cell", "nucleus")


def test_a_change_that_was_committed_before_the_claim_is_in_the_export(
    job: ExportJob, tmp_path: Path
) -> None:
    with transaction.atomic():
        change_all(job)
    assert class_names(lifecycle.claim(job.pk), tmp_path) == ("changed",)


def test_a_change_made_while_the_export_is_built_is_not_in_it(job: ExportJob, tmp_path: Path) -> None:
    claimed = lifecycle.claim(job.pk)
    dataset, items = snapshot.read(claimed, tmp_path)
    first = next(items)
    change_all(job)
    assert first.image is not None
    assert [len(each.image.objects) for each in items if each.image] == [3, 0]
    assert dataset.class_names == ("cell", "nucleus")
