"""An export of a project into which somebody put what is no picture, or one that was made to harm."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from exports import build, lifecycle
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.conftest import store_file
from tests.imagefiles import hostile
from tests.jobs import request_for

Bell = list[tuple[str, str, str]]
BAD = dict(hostile.bombs()) | dict(hostile.disguised())


@pytest.fixture
def archive(project: Project, bell: Bell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> zipfile.ZipFile:
    monkeypatch.chdir(tmp_path)
    for name, content in BAD.items():
        store_file(project, f"{name}.png", content)
    job, _ = lifecycle.request(request_for(project, project.owner, annotation_formats=["coco"]))
    build.run(job.pk)
    completed = ExportJob.objects.get(pk=job.pk)
    assert completed.status == Status.COMPLETED
    return zipfile.ZipFile(settings.EXPORT_ROOT / "published" / str(completed.file_name))


def test_each_is_listed_with_a_reason_and_its_bytes_are_kept(archive: zipfile.ZipFile) -> None:
    errors = list(csv.DictReader(io.StringIO(archive.read("errors.csv").decode("utf-8-sig"))))
    assert {each["image"] for each in errors} == {f"{name}.png" for name in BAD}
    assert {(each["stage"], each["code"]) for each in errors} == {("images/overlays", "image_unreadable")}
    assert all(each["sentence"].startswith("Overlays: ") for each in errors)
    assert {name: archive.read(f"images/{name}.png") for name in BAD} == BAD


def test_the_pictures_of_the_others_are_there(archive: zipfile.ZipFile) -> None:
    overlays = {name for name in archive.namelist() if name.startswith("visualizations/")}
    assert overlays == {f"visualizations/{name}_overlay.png" for name in ("a", "b", "empty")}
