from __future__ import annotations

import json
import math
from functools import reduce
from pathlib import Path
from typing import Any
from uuid import UUID

import geojson
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from exports.archive.dataset import FARTHEST, Image, Objects, Points
from exports.archive.formats.geojson import GeoJson
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import blob

Parts = list[list[Points]]
BOW_TIE = np.array([(0, 0), (20, 20), (20, 0), (0, 20.0)])
LINE = np.array([(1, 1), (5, 5), (9, 9.0)])


VALID: dict[str, Parts] = {
    "one ring": [[blob(100, 80, 40)]],
    "one ring the other way round": [[blob(100, 80, 40)[::-1]]],
    "two holes": [[blob(150, 120, 80), blob(120, 120, 15), blob(180, 120, 20)[::-1]]],
    "two parts": [[blob(70, 70, 40)], [blob(200, 150, 50)]],
    "parts, one with a hole": [[blob(70, 70, 40)], [blob(200, 150, 50), blob(200, 150, 20)]],
    "a part in the hole of another": [[blob(150, 120, 90), blob(150, 120, 50)], [blob(150, 120, 20)]],
    "a hole that touches the edge": [[square(0, 0, 40), np.array([(0, 20), (9, 10), (9, 30)])]],
    "beyond every edge, with a hole": [[square(-50, -40, 900), blob(150, 100, 60)]],
}
INVALID: dict[str, Parts] = {
    "a bow tie": [[BOW_TIE]],
    "parts that overlap": [[blob(100, 80, 40)], [blob(130, 90, 40)]],
    "parts that share an edge": [[square(0, 0, 10)], [square(10, 0, 10)]],
    "a hole over the edge": [[blob(100, 80, 40), blob(130, 80, 30)]],
    "holes that overlap": [[square(0, 0, 40), square(5, 5, 15), square(10, 10, 20)]],
    "lobes that share an edge": [[np.array([(2, 5), (4, 4), (2, 2), (4, 3), (2, 5), (5, 5), (2, 2.0)])]],
    "a spike": [[np.array([(0, 0), (20, 0), (20, 20), (20, 40), (20, 20), (0, 20.0)])]],
}
AREAS = {"a bow tie": 200, "parts that share an edge": 200, "holes that overlap": 1075, "a spike": 400}


def texts(folder: Path, *images: Image, **fields: Any) -> list[bytes]:
    """The file of each image."""
    writer = GeoJson(dataset_of(folder, *images, **fields))
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    assert [entry.path for entry in entries] == [
        f"annotations/geojson/{image.stem}.geojson" for image in images
    ]
    return [content_of(entry) for entry in entries]


def refuse(number: str) -> None:
    raise AssertionError(f"not JSON: {number}")


def features(folder: Path, image: Image | Objects, **fields: Any) -> list[dict[str, Any]]:
    image = image_of(image) if isinstance(image, Objects) else image
    (text,) = texts(folder, image, **fields)
    assert geojson.loads(text).errors() == []
    found: list[dict[str, Any]] = json.loads(text, parse_constant=refuse)["features"]
    return found


def shapes_of(folder: Path, *shapes: Parts) -> list[Any]:
    """What shapely reads."""
    found = features(folder, objects_of(*shapes))
    return [shapely.geometry.shape(feature["geometry"]) for feature in found]


def expected_shape(parts: Parts) -> Any:
    """Each part without its holes, all parts together."""
    shapes = [
        reduce(shapely.difference, map(shapely.Polygon, holes), shapely.make_valid(shapely.Polygon(outer)))
        for outer, *holes in parts
    ]
    return shapely.union_all(shapes)


def has_area(shape: Any) -> bool:
    """More than rounding leaves, of what a polygon that need not be valid covers."""
    with np.errstate(all="ignore"):
        parts = [[part.exterior, *part.interiors] for part in shapely.get_parts(shape)]
        rings = [[shapely.Polygon(ring).buffer(0) for ring in part] for part in parts]
        covered = shapely.union_all([reduce(shapely.difference, part) for part in rings])
        return bool(covered.area > 1e-9 * shapely.box(*shape.bounds).area)


def overlap(first: Any, second: Any) -> float:
    """Intersection over union."""
    return shapely.intersection(first, second).area / shapely.union(first, second).area


@pytest.mark.parametrize("name", VALID)
def test_shapely_reads_the_stored_shape_point_for_point(tmp_path: Path, name: str) -> None:
    (shape,) = shapes_of(tmp_path, VALID[name])
    stored = shapely.MultiPolygon([(outer, holes) for outer, *holes in VALID[name]])
    assert shape.is_valid
    assert shapely.normalize(shapely.MultiPolygon(shapely.get_parts(shape))) == shapely.normalize(stored)


@pytest.mark.parametrize("name", INVALID)
def test_an_outline_that_crosses_itself_becomes_the_area_it_covers(tmp_path: Path, name: str) -> None:
    (shape,) = shapes_of(tmp_path, INVALID[name])
    assert shape.is_valid
    assert overlap(shape, expected_shape(INVALID[name])) >= 0.999999
    assert shape.area == pytest.approx(AREAS.get(name, shape.area))


@pytest.mark.parametrize("name", [*VALID, *INVALID])
def test_rings_are_closed_and_turn_as_rfc_7946_asks(tmp_path: Path, name: str) -> None:
    (feature,) = features(tmp_path, objects_of({**VALID, **INVALID}[name]))
    coordinates = feature["geometry"]["coordinates"]
    for outer, *holes in coordinates if feature["geometry"]["type"] == "MultiPolygon" else [coordinates]:
        assert all(ring[0] == ring[-1] for ring in (outer, *holes))
        assert shapely.LinearRing(outer).is_ccw
        assert not any(shapely.LinearRing(hole).is_ccw for hole in holes)


def test_only_an_object_of_several_parts_is_a_multipolygon(tmp_path: Path) -> None:
    objects = objects_of(VALID["two holes"], VALID["two parts"], INVALID["parts that share an edge"])
    types = [feature["geometry"]["type"] for feature in features(tmp_path, objects)]
    assert types == ["Polygon", "MultiPolygon", "Polygon"]


@pytest.mark.parametrize("name", [*VALID, *INVALID])
def test_a_shape_outlives_the_rounding_of_qupath(tmp_path: Path, name: str) -> None:
    """GEOS has the same reduction as JTS, which QuPath calls with hundredths of a pixel."""
    (shape,) = shapes_of(tmp_path, {**VALID, **INVALID}[name])
    rounded = shapely.set_precision(shape, 0.01)
    assert rounded.is_valid
    assert overlap(rounded, shape) >= 0.99


def test_an_object_is_a_detection_named_by_its_object_id(tmp_path: Path) -> None:
    found = features(tmp_path, objects_of(*[[[square(n, n, 5)]] for n in range(1_200)]))
    assert [feature["properties"]["name"] for feature in found] == [str(n) for n in range(1, 1_201)]
    assert {feature["properties"]["objectType"] for feature in found} == {"detection"}


def test_ids_are_uuids_and_differ_between_objects_and_images(tmp_path: Path) -> None:
    objects = objects_of([[square(1, 1, 5)]], [[square(9, 9, 5)]])
    found = [*features(tmp_path, image_of(objects)), *features(tmp_path, image_of(objects, number=2))]
    assert len({UUID(feature["id"]) for feature in found}) == 4


def test_a_class_is_a_classification_with_a_colour_of_its_own(tmp_path: Path) -> None:
    objects = objects_of(*[[[square(n, n, 5)]] for n in range(3)], classes=[1, 0, 1])
    found = features(tmp_path, objects, class_names=("cell", "nucleus"))
    classes = [feature["properties"]["classification"] for feature in found]
    assert [each["name"] for each in classes] == ["nucleus", "cell", "nucleus"]
    assert classes[0]["color"] == classes[2]["color"] != classes[1]["color"]
    assert all(
        len(each["color"]) == 3 and 0 <= min(each["color"]) <= max(each["color"]) < 256 for each in classes
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("", None), (" : ", None), ("a:", "a"), ("a\r\nb", "a: b"), (" a :b", "a: b"), ("细胞 🧫", "细胞 🧫")],
)
def test_no_class_name_makes_qupath_refuse_the_file(tmp_path: Path, name: str, expected: str | None) -> None:
    (feature,) = features(tmp_path, objects_of([[square(1, 1, 5)]]), class_names=(name,))
    assert feature["properties"].get("classification", {}).get("name") == expected


@pytest.mark.parametrize(("size", "unit", "scale"), [(None, "px", 1.0), (0.5, "µm", 0.5)])
def test_measurements_are_those_of_shapely_with_their_unit(
    tmp_path: Path, size: float | None, unit: str, scale: float
) -> None:
    parts = VALID["parts, one with a hole"]
    (feature,) = features(tmp_path, image_of(objects_of(parts), pixel_size=size))
    measured, shape = feature["properties"]["measurements"], expected_shape(parts)
    assert measured[f"area ({unit}²)"] == pytest.approx(shape.area * scale**2)
    assert measured[f"perimeter_with_holes ({unit})"] == pytest.approx(shape.length * scale)
    assert measured[f"centroid_x ({unit})"] == pytest.approx(shape.centroid.x * scale)
    assert measured[f"centroid_y ({unit})"] == pytest.approx(shape.centroid.y * scale)
    assert measured["solidity"] == pytest.approx(shape.area / shape.convex_hull.area)


def test_each_object_has_its_own_measurements_and_score(tmp_path: Path) -> None:
    count = 1_200
    objects = objects_of(
        *[[[square(1, 1, n + 1)]] for n in range(count)], scores=[n / count for n in range(count)]
    )
    measured = [feature["properties"]["measurements"] for feature in features(tmp_path, objects)]
    assert [each["area (px²)"] for each in measured] == [(n + 1) ** 2 for n in range(count)]
    assert [each["score"] for each in measured] == [n / count for n in range(count)]


def test_what_does_not_exist_is_no_measurement(tmp_path: Path) -> None:
    (feature,) = features(tmp_path, objects_of([[LINE]]))
    measured = feature["properties"]["measurements"]
    assert not {"score", "solidity", "circularity", "centroid_x (px)"} & measured.keys()
    assert all(isinstance(value, float) and math.isfinite(value) for value in measured.values())


def test_an_object_without_an_area_keeps_its_points(tmp_path: Path) -> None:
    (shape,) = shapes_of(tmp_path, [[LINE]])
    assert sorted(set(shape.exterior.coords)) == [(1, 1), (5, 5), (9, 9)]


def test_an_image_without_objects_has_an_empty_collection(tmp_path: Path) -> None:
    (text,) = texts(tmp_path, image_of())
    assert json.loads(text) == {"type": "FeatureCollection", "features": []}


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    images = [image_of(objects_of(*VALID.values(), *INVALID.values())), image_of(number=2)]
    assert texts(tmp_path, *images) == texts(tmp_path, *images)


def test_an_export_that_has_to_end_ends_within_an_image(tmp_path: Path) -> None:
    calls: list[int] = []
    objects = objects_of(*[[[square(n, n, 5)]] for n in range(5_000)])
    texts(tmp_path, image_of(objects), checkpoint=lambda: calls.append(1))
    assert len(calls) >= 5


@st.composite
def stars(draw: st.DrawFn) -> Parts:
    """A part whose rings cannot cross themselves, perhaps with a hole, anywhere."""
    corners = draw(st.lists(st.floats(9, 60), min_size=5, max_size=20))
    angles = np.linspace(0, 2 * math.pi, len(corners), endpoint=False)
    star = np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(corners)[:, None]
    place = (draw(st.floats(-1e6, 1e6)), draw(st.floats(-200, 500)))
    holes = [place + 0.5 * star] if draw(st.booleans()) else []
    return [[place + star, *holes]]


@given(st.lists(stars(), min_size=1, max_size=3))
def test_any_valid_shape_is_read_back(tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]) -> None:
    found = shapes_of(tmp_path_factory.getbasetemp(), *shapes)
    pairs = zip(found, map(expected_shape, shapes), strict=True)
    assert min(overlap(shape, expected) for shape, expected in pairs) >= 0.999


number = st.one_of(st.integers(-3, 12), st.floats(-80, 80), st.floats(-FARTHEST, FARTHEST))
ring = st.lists(st.tuples(number, number), min_size=3, max_size=7).map(lambda points: np.array(points, float))
part = st.lists(ring, min_size=1, max_size=3)


@given(st.lists(st.lists(part, min_size=1, max_size=3), min_size=1, max_size=3))
def test_whatever_has_an_area_is_valid(tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]) -> None:
    found = shapes_of(tmp_path_factory.getbasetemp(), *shapes)
    assert len(found) == len(shapes)
    assert all(shape.is_valid or not has_area(shape) for shape in found)
