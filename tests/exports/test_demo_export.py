"""The demo, exported and opened by other people's programs."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from numpy.typing import NDArray
from pycocotools.coco import COCO
from skimage.measure import regionprops

from exports import admission, build, files
from exports.models import ExportJob
from projects.management.commands.load_demo import FOLDER
from projects.models import Project

PROJECT = "Nuclei (demo)"
EVERYTHING = {"annotationFormats": ["coco", "json"], "metricsFormats": ["excel", "csv", "json"]}
SMALLEST = 60  # pixels; below it a mask says little about a shape


@pytest.fixture
def unpacked(transactional_db: None, bell: Any, settings: Any, tmp_path: Path) -> Path:
    """The folder of the unpacked archive, the archive beside it as `demo.zip`."""
    settings.DEBUG, settings.MEDIA_ROOT = True, tmp_path / "media"
    call_command("load_demo", verbosity=0)
    owner = User.objects.get(username="demo")
    job, _ = admission.start(owner, Project.objects.get(name=PROJECT).pk, EVERYTHING)
    build.run(job.pk)
    with files.open_published(str(ExportJob.objects.get(pk=job.pk).file_name)) as archive:
        (tmp_path / "demo.zip").write_bytes(archive.read())
    zipfile.ZipFile(tmp_path / "demo.zip").extractall(tmp_path / "demo")
    return tmp_path / "demo"


def rows_of(folder: Path) -> list[dict[str, str]]:
    text = (folder / "metrics" / "metrics.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def column(row: dict[str, str], name: str) -> float:
    """By its name without the unit that stands in the header."""
    return float(next(value for header, value in row.items() if header.split(" ")[0] == name))


def labels_of(image: str) -> NDArray[np.uint16]:
    path = FOLDER / f"{Path(image).stem}.labels.png"
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_finds_no_fault(unpacked: Path) -> None:
    subprocess.run(["unzip", "-tqq", unpacked.with_suffix(".zip")], check=True)


def test_sha256sum_finds_every_file_whole(unpacked: Path) -> None:
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=unpacked, check=True)


def test_the_originals_are_the_files_that_were_loaded(unpacked: Path) -> None:
    found = {path.name: path.read_bytes() for path in (unpacked / "images").iterdir()}

    assert len(found) == 5
    assert all(content == (FOLDER / name).read_bytes() for name, content in found.items())


def test_pycocotools_draws_the_masks_that_were_annotated(unpacked: Path) -> None:
    coco = COCO(unpacked / "annotations" / "coco" / "annotations.json")

    for image in coco.imgs.values():
        labels = labels_of(image["file_name"])
        annotations = coco.imgToAnns[image["id"]]
        assert len(annotations) == len(np.unique(labels)) - 1
        for label, annotation in zip(np.unique(labels)[1:], annotations, strict=True):
            drawn, mask = coco.annToMask(annotation).astype(bool), labels == label
            if mask.sum() >= SMALLEST:
                assert (drawn & mask).sum() / (drawn | mask).sum() > 0.9


def test_holes_survive_as_run_lengths(unpacked: Path) -> None:
    coco = COCO(unpacked / "annotations" / "coco" / "annotations.json")
    with_holes = [each for each in coco.anns.values() if isinstance(each["segmentation"], dict)]

    assert with_holes
    for annotation in with_holes:
        height, width = annotation["segmentation"]["size"]
        assert (height, width) == (coco.imgs[annotation["image_id"]]["height"],
                                   coco.imgs[annotation["image_id"]]["width"])  # fmt: skip


def test_the_measurements_agree_with_scikit_image_on_the_label_mask(unpacked: Path) -> None:
    rows = rows_of(unpacked)
    compared = 0
    for image in {row["image"] for row in rows}:
        own = [row for row in rows if row["image"] == image]
        for row, region in zip(own, regionprops(labels_of(image)), strict=True):
            if region.area >= SMALLEST:
                scale = 0.26 if row["unit"] == "µm" else 1
                assert column(row, "area") == pytest.approx(region.area * scale**2, rel=0.025)
                major = region.axis_major_length * scale
                assert column(row, "major_axis") == pytest.approx(major, rel=0.03)
                assert column(row, "centroid_x") == pytest.approx((region.centroid[1] + 0.5) * scale, abs=0.5)
                compared += 1
    assert compared > 150


def test_openpyxl_reads_the_same_table_as_csv(unpacked: Path) -> None:
    book = openpyxl.load_workbook(unpacked / "metrics" / "metrics.xlsx", read_only=True)
    header, *rows = book["Objects"].values

    assert book.sheetnames == ["Objects", "Images", "Summary", "Columns"]
    expected = rows_of(unpacked)
    assert list(header) == list(expected[0])
    for row, texts in zip(rows, expected, strict=True):
        for value, text in zip(row, texts.values(), strict=True):
            is_number = isinstance(value, int | float)
            assert value == (pytest.approx(float(text), rel=1e-14) if is_number else text or None)


def test_every_overlay_can_be_looked_at(unpacked: Path) -> None:
    overlays = sorted((unpacked / "visualizations").iterdir())

    assert len(overlays) == 5
    for path in overlays:
        picture = cv2.imread(str(path))
        assert picture is not None
        assert len(np.unique(picture)) > 50
