"""From a claimed job to a published archive; what is wrong with an image never sinks the export."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from exports import assembly, build, files, lifecycle, pulse
from exports.archive.dataset import Objects
from exports.archive.formats import PARTS, Format, Writer, annotation_formats, metrics_formats
from exports.exceptions import IllegalMove, LostClaim
from exports.models import ExportJob
from exports.states import Status
from projects.models import Image, Project
from projects.outlines import OutlinedObject
from tests.conftest import add_image, store_file
from tests.jobs import request_for

Bell = list[tuple[str, str, str]]


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def published(job: ExportJob) -> zipfile.ZipFile:
    return zipfile.ZipFile(settings.EXPORT_ROOT / "published" / str(fresh(job).file_name))


@pytest.fixture
def exported(project: Project, bell: Bell) -> Callable[..., ExportJob]:
    """Exports the project as it is now."""

    def export(**choices: Any) -> ExportJob:
        job, _ = lifecycle.request(request_for(project, project.owner, **choices))
        build.run(job.pk)
        return fresh(job)

    return export


def test_a_build_ends_with_a_whole_archive(completed: ExportJob) -> None:
    path = settings.EXPORT_ROOT / "published" / str(completed.file_name)

    assert completed.status == Status.COMPLETED
    assert zipfile.ZipFile(path).testzip() is None
    assert completed.file_size == path.stat().st_size
    assert completed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_default_archive_holds_what_was_asked_for(completed: ExportJob) -> None:
    names = set(published(completed).namelist())

    assert names == {
        "README.md", "index.html", "manifest.json", "SHA256SUMS", "names.csv", "ro-crate-metadata.json",
        "images/a.png", "images/b.png", "images/empty.png",
        "visualizations/a_overlay.png", "visualizations/b_overlay.png", "visualizations/empty_overlay.png",
        "annotations/coco/annotations.json",
        "annotations/json/segmentation_data.json", "annotations/json/schema.json",
        "metrics/metrics.xlsx", "metrics/columns.csv",
        "documentation/FORMATS.md", "documentation/METRICS.md", "documentation/manifest.schema.json",
    }  # fmt: skip


def test_only_what_was_asked_for_is_there(exported: Callable[..., ExportJob]) -> None:
    job = exported(
        include_original_images=False, include_visualizations=False, include_documentation=False,
        annotation_formats=["coco"], metrics_formats=[],
    )  # fmt: skip

    tops = {name.split("/")[0] for name in published(job).namelist()}
    always = {"README.md", "manifest.json", "SHA256SUMS", "names.csv", "ro-crate-metadata.json"}
    assert tops == {*always, "annotations"}


def test_every_format_is_written_in_one_pass(exported: Callable[..., ExportJob]) -> None:
    job = exported(annotation_formats=[*annotation_formats], metrics_formats=[*metrics_formats])
    archive = published(job)
    manifest = json.loads(archive.read("manifest.json"))
    assert archive.testzip() is None
    assert set(manifest["counts"]["written"]) == {part.key for part in PARTS}
    assert len([name for name in archive.namelist() if name.endswith("_labels.tif")]) == 3


def test_what_was_written_is_what_the_writers_counted(exported: Callable[..., ExportJob]) -> None:
    job = exported(annotation_formats=[*annotation_formats], metrics_formats=[*metrics_formats])

    counts = json.loads(published(job).read("manifest.json"))["counts"]
    assert {key: each["objects"] for key, each in counts["written"].items() if each["objects"] != 6} == {}


@pytest.mark.parametrize(
    "part", [*annotation_formats.values(), *metrics_formats.values()], ids=lambda part: part.key
)
def test_an_object_that_a_writer_forgets_is_missed(
    project: Project, bell: Bell, monkeypatch: pytest.MonkeyPatch, part: Format
) -> None:
    made = Format.writer
    monkeypatch.setattr(Format, "writer", lambda part, dataset: _Forgetful(made(part, dataset)))
    chosen = {
        "annotation_formats": [],
        "metrics_formats": [],
        "annotation_formats" if part.kind == "annotations" else "metrics_formats": [part.id],
    }
    job, _ = lifecycle.request(request_for(project, project.owner, **chosen))

    with pytest.raises(assembly.Unaccounted, match=f"{part.key}: 5 of 6 objects"):
        build.run(job.pk)


class _Forgetful:
    """A writer that does not get to see the last object of the first image that has some."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._has_forgotten = writer, False

    def add(self, image: Any) -> Any:
        if len(image.objects) and not self._has_forgotten:
            self._has_forgotten = True
            image = replace(image, objects=_without_the_last(image.objects))
        return self._writer.add(image)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


def _without_the_last(objects: Objects) -> Objects:
    count = len(objects) - 1
    rings = objects.object_rings[count]
    starts = objects.ring_starts[: rings + 1]
    return Objects(
        objects.points[: starts[-1]],
        starts,
        objects.ring_objects[:rings],
        objects.ring_parts[:rings],
        objects.classes[:count],
        objects.scores[:count],
    )


def test_the_same_project_and_options_give_the_same_bytes(exported: Callable[..., ExportJob]) -> None:
    assert exported().sha256 == exported().sha256


def test_every_checksum_holds(completed: ExportJob) -> None:
    archive = published(completed)

    for line in archive.read("SHA256SUMS").decode().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_a_corrupt_image_is_listed_and_the_rest_is_exported(
    project: Project, exported: Callable[..., ExportJob]
) -> None:
    store_file(project, "broken.png", b"this is no image")

    job = exported()

    names = published(job).namelist()
    errors = list(csv.DictReader(io.StringIO(published(job).read("errors.csv").decode("utf-8-sig"))))
    assert job.status == Status.COMPLETED
    assert "images/broken.png" in names
    assert "visualizations/broken_overlay.png" not in names
    assert [(each["image"], each["code"]) for each in errors] == [("broken.png", "image_unreadable")]
    assert [each["image"] for each in job.warnings] == ["broken.png"]


def test_outlines_that_cross_themselves_are_listed_and_in_every_part(
    project: Project, exported: Callable[..., ExportJob]
) -> None:
    square, bow_tie = [(0, 0), (9, 0), (9, 9), (0, 9)], [(20, 20), (40, 40), (40, 20), (20, 40)]
    objects = [OutlinedObject(parts=[[ring]]) for ring in (square, bow_tie, square, bow_tie)]
    add_image(project, "crossing.png", objects)

    job = exported()

    archive = published(job)
    (row,) = csv.DictReader(io.StringIO(archive.read("errors.csv").decode("utf-8-sig")))
    assert (row["image"], row["code"]) == ("crossing.png", "outlines_repaired")
    assert row["sentence"].startswith("The outlines of 2 objects (2, 4) cross or overlap themselves")
    manifest = json.loads(archive.read("manifest.json"))
    assert [each["original_name"] for each in manifest["repaired"]] == ["crossing.png"]
    assert manifest["left_out"] == []
    assert {each["objects"] for each in manifest["counts"]["written"].values()} == {10}
    assert "## Repaired" in archive.read("README.md").decode()
    assert [each["code"] for each in job.warnings] == ["outlines_repaired"]


def test_a_lost_file_is_listed_in_the_manifest(project: Project, exported: Callable[..., ExportJob]) -> None:
    image = Image.objects.get(name="a.png")
    image.file.storage.delete(image.file.name)

    job = exported()

    manifest = json.loads(published(job).read("manifest.json"))
    assert {each["original_name"] for each in manifest["left_out"]} == {"a.png"}
    assert "images/a.png" not in published(job).namelist()


def test_a_file_that_changed_on_disk_is_not_passed_off_as_the_original(
    project: Project, exported: Callable[..., ExportJob]
) -> None:
    image = Image.objects.get(name="a.png")
    image.file.storage.open(image.file.name, "wb").write(b"something else")

    assert "images/a.png" not in published(exported()).namelist()


def test_when_nothing_can_be_exported_the_job_fails(project: Project, bell: Bell) -> None:
    for image in project.images.all():
        image.file.storage.delete(image.file.name)
    choices = {"annotation_formats": [], "metrics_formats": []}
    job, _ = lifecycle.request(request_for(project, project.owner, **choices))

    with pytest.raises(assembly.NothingExported):
        build.run(job.pk)

    assert (fresh(job).status, fresh(job).error_code) == (Status.FAILED, "nothing_exported")
    assert list(files.present()) == []


def test_when_all_images_were_removed_meanwhile_the_job_fails(job: ExportJob) -> None:
    Image.objects.update(removed_at=job.created_at)

    with pytest.raises(assembly.NothingExported):
        build.run(job.pk)

    assert fresh(job).error_code == "nothing_exported"


@pytest.mark.parametrize("name", ["../../etc/passwd", "CON.png", "a/b\\c.png", "..", "nul", "x" * 255])
def test_no_name_leads_out_of_the_archive(
    project: Project, exported: Callable[..., ExportJob], name: str
) -> None:
    add_image(project, name, None)

    paths = published(exported()).namelist()

    assert sum(path.startswith("images/") for path in paths) == 4
    for path in paths:
        assert ".." not in path
        assert path.rsplit("/", 1)[-1].split(".")[0].upper() not in ("CON", "NUL")


def test_a_name_is_never_a_formula(project: Project, exported: Callable[..., ExportJob]) -> None:
    add_image(project, "=cmd()", None)

    rows = csv.reader(io.StringIO(published(exported()).read("names.csv").decode("utf-8-sig")))

    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("name", ["a.png", "A.png", "a.jpg"])
def test_two_images_of_one_name_are_both_exported(
    project: Project, exported: Callable[..., ExportJob], name: str
) -> None:
    add_image(project, name, None)

    names = [name for name in published(exported()).namelist() if name.startswith("images/")]

    assert len({name.casefold() for name in names}) == 4


def test_a_cancel_during_the_build_stops_it_and_leaves_nothing(
    job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0)
    monkeypatch.setattr(files, "publish", lambda *_: lifecycle.cancel(job.pk, "user:1") and _FILE)

    with pytest.raises(LostClaim):
        build.run(job.pk)

    assert fresh(job).status == Status.CANCELLED
    assert list(files.present()) == []
    assert "completed" not in job.transitions.values_list("to_status", flat=True)


_FILE = files.PublishedFile("x.zip", 1, "0" * 64)


def test_a_cancel_is_seen_between_two_images(job: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0)
    beats: list[str] = []

    def beat_once(job_id: Any, attempt: int, advance: Any) -> None:
        beats.append(advance.stage)
        if len(beats) == 3:
            lifecycle.cancel(job_id, "user:1")
        lifecycle_beat(job_id, attempt, advance)

    lifecycle_beat = lifecycle.beat
    monkeypatch.setattr(lifecycle, "beat", beat_once)

    with pytest.raises(LostClaim):
        build.run(job.pk)

    assert len(beats) == 3


def test_a_full_disk_fails_with_a_clear_sentence(job: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "publish", full)

    with pytest.raises(OSError, match="No space"):
        build.run(job.pk)

    assert (fresh(job).error_code, fresh(job).retryable) == ("insufficient_storage", True)
    assert list(files.present()) == []


def test_a_fault_of_ours_is_told_without_its_details(job: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(assembly, "write", broken)

    with pytest.raises(RuntimeError):
        build.run(job.pk)

    assert fresh(job).error_code == "build_failed"
    assert "/secret" not in str(fresh(job).error)


def test_a_job_is_given_back_when_the_worker_stops(job: ExportJob) -> None:
    build.run(job.pk, is_stopping=lambda: True)

    assert (fresh(job).status, fresh(job).losses) == (Status.PENDING, 0)


def test_a_second_delivery_changes_nothing(completed: ExportJob) -> None:
    with pytest.raises(IllegalMove):
        build.run(completed.pk)

    assert fresh(completed).version == completed.version


def test_a_connection_lost_while_committing_does_not_lose_the_archive(
    job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit_and_lose(*arguments: Any) -> None:
        complete(*arguments)
        raise OperationalError("the connection was lost")

    complete = lifecycle.complete
    monkeypatch.setattr(lifecycle, "complete", commit_and_lose)

    build.run(job.pk)

    assert fresh(job).status == Status.COMPLETED
    assert published(job).testzip() is None
