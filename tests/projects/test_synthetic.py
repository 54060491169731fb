from __future__ import annotations

import hashlib
from itertools import pairwise

import cv2
import numpy as np
import pytest
import shapely

from projects.outlines import Outlines, columns
from projects.synthetic import CLASS_NAMES, PICTURES, Recipe, image_file, image_outlines

RECIPE = Recipe(size=256, polygons=30, holes=20, seed=3)
INDEXES = range(2 * PICTURES)


def test_the_same_recipe_makes_the_same_files() -> None:
    first = [image_file(index, RECIPE) for index in INDEXES]
    assert [image_file(index, RECIPE) for index in reversed(INDEXES)] == first[::-1]


def test_no_two_files_are_the_same() -> None:
    files = {image_file(index, Recipe(64, 4, seed=seed)) for index in INDEXES for seed in (1, 2)}
    assert len(files) == 2 * len(INDEXES)


@pytest.mark.parametrize("index", INDEXES)
def test_each_file_is_decoded_to_the_size_asked_for(index: int) -> None:
    pixels = cv2.imdecode(np.frombuffer(image_file(index, RECIPE), np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.shape[:2] == (256, 256)
    assert pixels.dtype == np.uint8


def test_six_of_ten_are_grey_png_two_colour_png_two_jpeg() -> None:
    kinds = sorted(_kind(image_file(index, RECIPE)) for index in range(10))
    assert kinds == ["grey png"] * 6 + ["jpeg"] * 2 + ["rgb png"] * 2


def test_a_grey_file_is_as_large_as_microscopy_is() -> None:
    assert 500_000 < len(image_file(0, Recipe(1024, 150))) < 700_000


def test_outlines_are_the_same_for_the_same_image_and_others_for_another() -> None:
    first, again, other = (columns(image_outlines(index, RECIPE)) for index in (0, 0, PICTURES))
    assert first == again
    assert first["points"] != other["points"]


def test_rings_have_forty_to_eighty_points_with_two_decimals() -> None:
    outlines = image_outlines(0, Recipe(1024, 150, holes=0))
    assert len(outlines.classes) == 150
    assert outlines.rings[:, 2].min() >= 40
    assert outlines.rings[:, 2].max() <= 80
    assert np.array_equal(outlines.points, outlines.points.round(2))


def test_objects_are_valid_and_do_not_overlap() -> None:
    polygons = _polygons(image_outlines(0, RECIPE))
    assert all(polygon.is_valid for polygon in polygons)
    assert shapely.union_all(polygons).area == pytest.approx(sum(polygon.area for polygon in polygons))


def test_objects_lie_where_the_picture_is_bright() -> None:
    pixels = cv2.imdecode(np.frombuffer(image_file(0, RECIPE), np.uint8), cv2.IMREAD_GRAYSCALE)
    ys, xs = np.mgrid[:256, :256] + 0.5
    inside = shapely.contains_xy(shapely.union_all(_polygons(image_outlines(0, RECIPE))), xs, ys)
    assert np.asarray(pixels)[inside].mean() > 2 * np.asarray(pixels)[~inside].mean()


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (3, 20, 70), (100, 1500, 1500)])
def test_as_many_objects_have_holes_as_asked_for(percent: float, least: int, most: int) -> None:
    recipe = Recipe(1024, 150, holes=percent)
    holes = sum(columns(image_outlines(index, recipe))["hole_count"] for index in range(10))
    assert least <= holes <= most


def test_every_object_has_a_score_and_a_known_class() -> None:
    packed = columns(image_outlines(0, RECIPE))
    assert packed["score_count"] == packed["object_count"] == 30
    assert packed["class_names"] == sorted(CLASS_NAMES)


@pytest.mark.parametrize("recipe", [Recipe(64, 0), Recipe(1, 1), Recipe(8, 500)])
def test_odd_recipes_are_no_trouble(recipe: Recipe) -> None:
    assert hashlib.sha256(image_file(0, recipe)).digest()
    assert len(image_outlines(0, recipe).classes) == recipe.polygons


def _kind(content: bytes) -> str:
    if content.startswith(b"\xff\xd8"):
        return "jpeg"
    return "rgb png" if content[25] == 2 else "grey png"


def _polygons(outlines: Outlines) -> list[shapely.Polygon]:
    starts = np.append(0, np.cumsum(outlines.rings[:, 2]))
    rings = [outlines.points[start:end] for start, end in pairwise(starts)]
    owners = outlines.rings[:, 0]
    return [_polygon([rings[i] for i in np.flatnonzero(owners == owner)]) for owner in np.unique(owners)]


def _polygon(rings: list[np.ndarray]) -> shapely.Polygon:
    return shapely.Polygon(rings[0], rings[1:])
