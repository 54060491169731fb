"""The same project and options give the same bytes, whoever builds them, wherever, whenever."""

from __future__ import annotations

import zipfile
from typing import Any

import pytest
from django.conf import settings

from exports import admission
from exports.archive.formats import annotation_formats, metrics_formats
from exports.models import ExportJob
from exports.states import Status
from projects import synthetic
from projects.models import Project
from tests.processes import environment, start_worker
from tests.waiting import until

EVERYTHING = {
    "annotationFormats": [*annotation_formats],
    "metricsFormats": [*metrics_formats],
    "includeIntensity": True,
}
PLACES = (
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "2", "LC_ALL": "C", "OMP_NUM_THREADS": "1"},
)
"""Fourteen hours ahead and three and a half behind: of some hours of the day not even the date is the same."""


@pytest.fixture
def varied(project: Project) -> Project:
    """Grey, colour and JPEG images, with classes, scores and holes, some without a scale."""
    made = synthetic.create("varied", project.owner, images=8, size=128, polygons=12, holes=30, seed=3)
    made.images.filter(name__contains="-00003").update(pixel_size=None)
    return made


def built_by_a_worker(project: Project, **place: str) -> dict[str, bytes]:
    """The whole archive, and each of its entries to say which one differs."""
    job, _ = admission.start(project.owner, project.pk, EVERYTHING)
    with start_worker(environment(settings.DATA_DIR, **place)):
        until(lambda: ExportJob.objects.get(pk=job.pk).status == Status.COMPLETED, seconds=60)
    path = settings.EXPORT_ROOT / "published" / str(ExportJob.objects.get(pk=job.pk).file_name)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()} | {"": path.read_bytes()}


def test_two_workers_in_two_time_zones_write_the_same_bytes(transactional_db: None, varied: Any) -> None:
    first, second = (built_by_a_worker(varied, **place) for place in PLACES)
    assert [name for name in first if first[name] != second.get(name)] == []
    assert len(first) > 8 * (len(annotation_formats) - 1)
