"""Intensities from the choice to the published archive: as many columns as there are channels, faults listed."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from exports import build, lifecycle, snapshot
from exports.models import ExportJob
from projects.models import Image, Project, Segmentation
from projects.outlines import OutlinedObject, pack
from tests.conftest import store_file
from tests.jobs import request_for

SQUARE = [(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)]
COLOUR = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
Bell = list[tuple[str, str, str]]


def add(project: Project, name: str, content: bytes) -> Image:
    """An image with a square of ten pixels."""
    image = store_file(project, name, content)
    image.segmentation = Segmentation.objects.create(image=image, **pack([OutlinedObject([[SQUARE]])]))
    image.save(update_fields=["segmentation"])
    return image


def png(pixels: NDArray[Any]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def exported(project: Project, **choices: Any) -> tuple[ExportJob, zipfile.ZipFile]:
    chosen = {
        "include_intensity": True,
        "metrics_formats": ["csv"],
        "include_visualizations": False,
    } | choices
    job, _ = lifecycle.request(request_for(project, project.owner, **chosen))
    build.run(job.pk)
    job = ExportJob.objects.get(pk=job.pk)
    return job, zipfile.ZipFile(settings.EXPORT_ROOT / "published" / str(job.file_name))


def rows_of(archive: zipfile.ZipFile, path: str = "metrics/metrics.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(path).decode("utf-8-sig"), newline="")))


def test_colours_and_greys_share_a_table(project: Project, bell: Bell) -> None:
    add(project, "colour.png", png(COLOUR))
    add(project, "last.png", png(COLOUR[:, :, 0]))

    rows = {row["image"]: row for row in rows_of(exported(project)[1])}

    means = [float(rows["colour.png"][f"intensity_mean_c{channel}"]) for channel in (1, 2, 3)]
    assert means == pytest.approx(COLOUR[10:20, 10:20, ::-1].mean(axis=(0, 1)), rel=1e-12)
    for name in ("a.png", "last.png"):
        assert rows[name]["intensity_mean_c1"]
        assert rows[name]["intensity_mean_c2"] == ""


def test_as_many_channels_as_an_image_with_objects_has(project: Project, bell: Bell) -> None:
    store_file(project, "without objects.png", png(COLOUR))

    assert [name for name in rows_of(exported(project)[1])[0] if name.startswith("intensity_")] == [
        f"intensity_{name}_c1" for name in ("mean", "std", "min", "max", "median", "integrated")
    ]


def test_the_dictionary_has_a_row_for_each_column(project: Project, bell: Bell) -> None:
    archive = exported(project)[1]

    headers = [row["header"] for row in rows_of(archive, "metrics/columns.csv") if row["table"] == "objects"]
    assert headers == list(rows_of(archive)[0])
    assert "## Intensities" in archive.read("documentation/METRICS.md").decode()


def test_an_image_that_cannot_be_decoded_is_measured_and_listed_once(project: Project, bell: Bell) -> None:
    add(project, "broken.png", b"this is no image")

    job, archive = exported(
        project, metrics_formats=["excel", "csv", "json", "parquet"], annotation_formats=["geojson"]
    )

    (row,) = [row for row in rows_of(archive) if row["image"] == "broken.png"]
    (error,) = rows_of(archive, "errors.csv")
    assert float(row["area [unit²]"]) == 100
    assert row["intensity_mean_c1"] == ""
    assert (error["image"], error["stage"], error["code"]) == (
        "broken.png",
        "metrics/intensity",
        "image_unreadable",
    )
    assert error["sentence"] == "Intensities: The file is not a PNG, JPEG, TIFF or BMP image."
    assert [warning["image"] for warning in job.warnings] == ["broken.png"]
    assert json.loads(archive.read("manifest.json"))["counts"]["written"]["metrics/csv"]["images"] == 4


def test_when_no_image_can_be_decoded_the_columns_stay_and_all_are_listed(
    project: Project, bell: Bell
) -> None:
    for image in project.images.all():
        image.file.storage.open(image.file.name, "wb").write(b"something else")

    job, archive = exported(project, include_original_images=False)

    assert {row["intensity_mean_c1"] for row in rows_of(archive)} == {""}
    assert [warning["image"] for warning in job.warnings] == ["a.png", "b.png"]


def test_every_table_and_geojson_say_the_same(project: Project, bell: Bell) -> None:
    archive = exported(project, metrics_formats=["csv", "json"], annotation_formats=["geojson"])[1]

    expected = [float(row["intensity_std_c1"]) for row in rows_of(archive) if row["image"] == "a.png"]
    (image,) = [
        each
        for each in json.loads(archive.read("metrics/metrics.json"))["images"]
        if each["image"] == "a.png"
    ]
    features = json.loads(archive.read("annotations/geojson/a.geojson"))["features"]
    assert image["objects"]["intensity_std_c1"] == expected
    assert [each["properties"]["measurements"]["intensity_std_c1"] for each in features] == expected


def test_nothing_is_decoded_unless_it_is_asked_for(
    project: Project, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.archive.measure.original_values", None)
    monkeypatch.setattr("imagefiles.channels.stored_channels", None)

    assert "intensity_mean_c1" not in rows_of(exported(project, include_intensity=False)[1])[0]
    exported(project, metrics_formats=[], annotation_formats=["coco"])


def test_a_cancel_is_seen_while_headers_are_read(processing: ExportJob, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def end() -> None:
        raise Cancelled

    processing.options["includeIntensity"] = True
    with pytest.raises(Cancelled):
        snapshot.read(processing, tmp_path, end)
