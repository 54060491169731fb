"""Whatever was outlined is written by every writer; what is sound comes back as it was."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roifile
import shapely
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools.coco import COCO

from exports.archive.dataset import Objects
from exports.archive.formats import PARTS, Format, annotation_formats, metrics_formats
from exports.archive.zipping import Archive
from tests.exports.archive import outlines
from tests.exports.archive.builders import dataset_of, image_of, objects_of
from tests.exports.archive.outlines import HEIGHT, WIDTH, Parts

Mask = NDArray[np.bool_]
Files = dict[str, bytes]


def written(part: Format, objects: Objects) -> Files:
    """What the part alone writes, as a ZIP reader finds it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = image_of(objects, folder, name="a.png", width=WIDTH, height=HEIGHT)
        dataset = dataset_of(folder, image)
        file, writer = io.BytesIO(), part.writer(dataset)
        archive = Archive(file, dataset.changed_at, lambda: None)
        for entry in [*writer.add(image), *writer.finish()]:
            archive.add(entry)
        archive.close()
    zipped = zipfile.ZipFile(file)
    return {entry: zipped.read(entry) for entry in zipped.namelist()}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
@settings(max_examples=15)
@given(shapes=st.lists(outlines.anything, min_size=1, max_size=6))
def test_no_outline_stops_a_writer(part: Format, shapes: list[Parts]) -> None:
    objects = objects_of(*shapes)
    assert written(part, objects)


def drawn(shape: Any) -> Mask:
    """By GEOS: the pixels whose centre lies inside."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, columns + 0.5, rows + 0.5))


def expected(parts: Parts) -> Any:
    shapes = [reduce(shapely.difference, map(shapely.Polygon, part)) for part in parts]
    return shapely.union_all(shapes)


def masks_of_coco(files: Files) -> list[Mask]:
    coco = COCO()
    coco.dataset = json.loads(files["annotations/coco/annotations.json"])
    coco.createIndex()
    return [coco.annToMask(annotation).astype(bool) for annotation in coco.dataset["annotations"]]


def masks_of_geojson(files: Files) -> list[Mask]:
    features = json.loads(files["annotations/geojson/a.geojson"])["features"]
    return [drawn(shapely.geometry.shape(feature["geometry"])) for feature in features]


def masks_of_imagej(files: Files) -> list[Mask]:
    zipped = zipfile.ZipFile(io.BytesIO(files["annotations/imagej/a_RoiSet.zip"]))
    rois = [roifile.ImagejRoi.frombytes(zipped.read(name)) for name in zipped.namelist()]
    return [drawn(_even_odd(roi.coordinates(multi=True))) for roi in rois]


def masks_of_labels(files: Files) -> list[Mask]:
    labels = tifffile.imread(io.BytesIO(files["annotations/masks/a_labels.tif"]))
    return [labels == 1]


def masks_of_cellpose(files: Files) -> list[Mask]:
    saved = np.load(io.BytesIO(files["annotations/cellpose/a_seg.npy"]), allow_pickle=True).item()
    return [saved["masks"] == 1]


def _even_odd(rings: list[NDArray[Any]]) -> Any:
    return reduce(shapely.symmetric_difference, map(shapely.Polygon, rings))


READERS: dict[str, tuple[Callable[[Files], list[Mask]], float]] = {
    # pycocotools walks along polygons in fifths of a pixel.
    "coco": (masks_of_coco, 0.95),
    "geojson": (masks_of_geojson, 0.999),
    "imagej": (masks_of_imagej, 0.99),
    "masks": (masks_of_labels, 0.99),
    "cellpose": (masks_of_cellpose, 0.99),
}
"""What reads each format, and the intersection over union that it gives at least."""


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40)
@given(shape=outlines.sound)
def test_a_sound_outline_comes_back_from_a_foreign_reader(name: str, shape: Parts) -> None:
    seen = drawn(expected(shape))
    read, least = READERS[name]
    (mask,) = read(written(annotation_formats[name], objects_of(shape)))
    if seen.sum() > 200:
        assert (mask & seen).sum() / (mask | seen).sum() >= least


@settings(max_examples=40)
@given(shape=outlines.sound)
def test_what_was_measured_is_what_geos_measures(shape: Parts) -> None:
    measured = json.loads(written(metrics_formats["json"], objects_of(shape))["metrics/metrics.json"])
    values, geometry = measured["images"][0]["objects"], expected(shape)
    assert values["area"][0] == pytest.approx(geometry.area, rel=1e-9)
    assert values["perimeter_with_holes"][0] == pytest.approx(geometry.length, rel=1e-9)
    assert values["solidity"][0] == pytest.approx(geometry.area / geometry.convex_hull.area, rel=1e-9)
    assert values["centroid_x"][0] == pytest.approx(geometry.centroid.x, abs=1e-6)
