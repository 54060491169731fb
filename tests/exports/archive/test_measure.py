from __future__ import annotations

import gc
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import regionprops

from exports.archive import measure
from exports.archive.columns import IMAGE_MEASURES, MEASURES, Kind
from exports.archive.dataset import FARTHEST, Points
from tests.exports.archive.builders import Part, dataset_of, image_of, objects_of, square

TRIANGLE = np.array([(0.0, 0), (3, 0), (0, 4)])
RECTANGLE = np.array([(0.0, 0), (10, 0), (10, 20), (0, 20)])
PARALLELOGRAM = np.array([(0.0, 0), (10, 0), (20, 5), (10, 5)])
L_SHAPE = np.array([(10.0, 10), (20, 10), (20, 30), (40, 30), (40, 40), (10, 40)])
BOW_TIE = np.array([(0.0, 0), (10, 10), (10, 0), (0, 10)])


def ellipse(long: float, short: float, corners: int, degrees: float = 0.0) -> Points:
    """Semi-axes in pixels; turned anticlockwise as seen on the screen."""
    turns, tilt = np.arange(corners) * 2 * np.pi / corners, np.radians(degrees)
    x, y = long * np.cos(turns), short * np.sin(turns)
    along, up = x * np.cos(tilt) - y * np.sin(tilt), x * np.sin(tilt) + y * np.cos(tilt)
    return np.column_stack([100 + along, 100 - up])


def measured(*parts: Part, **fields: Any) -> dict[str, float]:
    row = measure.measure(image_of(objects_of(parts), **fields)).objects[0]
    return dict(zip((column.name for column in MEASURES), row.tolist(), strict=True))


def check(found: dict[str, float], **expected: float) -> None:
    """To the six decimals that the expected values are given with."""
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_a_square_of_ten() -> None:
    found = measured([square(5, 7, 10)])
    check(found, area=100, perimeter=40, perimeter_with_holes=40, equivalent_diameter=11.283792)
    check(found, circularity=0.785398, compactness=1.273240, sphericity=0.886227, aspect_ratio=1)
    check(found, convexity=1, solidity=1, extent=1, feret_max=14.142136, feret_min=10, feret_angle=45)
    check(found, bbox_x=5, bbox_y=7, bbox_width=10, bbox_height=10, centroid_x=10, centroid_y=12)
    check(found, major_axis=11.547005, minor_axis=11.547005, eccentricity=0, roundness=1)
    assert math.isnan(found["orientation"])


def test_a_hole_is_taken_from_the_area_and_its_ring_counts_apart() -> None:
    found = measured([square(0, 0, 10), square(3, 3, 4)])
    check(found, area=84, perimeter=40, perimeter_with_holes=56, circularity=0.336599, solidity=0.84)
    check(measured([square(0, 0, 30), square(10, 10, 10)]), area=800, major_axis=36.514837, solidity=0.888889)


def test_a_hole_off_the_centre_moves_the_centroid_away() -> None:
    check(measured([square(0, 0, 10), square(0, 0, 5)]), centroid_x=5.833333, centroid_y=5.833333)


def test_a_triangle_of_three_four_five() -> None:
    found = measured([TRIANGLE])
    check(found, area=6, perimeter=12, feret_max=5, feret_min=2.4, feret_max_orthogonal=2.4)
    check(found, centroid_x=1, centroid_y=4 / 3)


def test_a_rectangle_of_ten_by_twenty() -> None:
    found = measured([RECTANGLE])
    check(
        found,
        feret_max=22.360680,
        feret_max_orthogonal=17.888544,
        feret_min=10,
        bbox_width=10,
        bbox_height=20,
    )
    check(found, major_axis=23.094011, minor_axis=11.547005, orientation=90, aspect_ratio=2, roundness=0.5)
    check(found, eccentricity=0.866025, feret_aspect_ratio=2.236068)


def test_a_parallelogram() -> None:
    found = measured([PARALLELOGRAM])
    check(found, feret_max=20.615528, feret_min=4.472136, feret_max_orthogonal=4.850713)


def test_an_l_shape() -> None:
    found = measured([L_SHAPE])
    check(found, area=500, perimeter=120, feret_max=42.426407, feret_min=28.284271, solidity=0.714286)
    assert found["major_axis"] == pytest.approx(41.6333, abs=1e-4)
    assert found["minor_axis"] == pytest.approx(24.1109, abs=1e-4)


def test_a_circle_of_64_corners() -> None:
    found = measured([ellipse(20, 20, 64)])
    assert found["feret_max"] == pytest.approx(40, abs=1e-9)
    assert found["feret_min"] == pytest.approx(39.9518, abs=1e-4)
    assert found["major_axis"] == pytest.approx(39.9679, abs=1e-4)
    assert found["circularity"] == pytest.approx(0.9992, abs=1e-4)


def test_an_ellipse_of_72_corners_has_axes_and_ferets_near_its_own() -> None:
    found = measured([ellipse(30, 10, 72)])
    assert [found[name] for name in ("feret_max", "feret_min")] == pytest.approx([60, 20], rel=1e-3)
    assert [found[name] for name in ("major_axis", "minor_axis")] == pytest.approx([60, 20], rel=2e-3)
    assert found["convexity"] == pytest.approx(1, abs=1e-12)


def test_an_ellipse_of_semi_axes_forty_and_thirty_has_a_smallest_feret_of_sixty() -> None:
    assert measured([ellipse(40, 30, 100)])["feret_min"] == pytest.approx(60, rel=1e-3)


def test_a_scale_of_two_makes_areas_four_times_and_lengths_twice_as_large() -> None:
    parts: Part = [L_SHAPE, square(12, 32, 4)]
    plain, scaled = measured(parts), measured(parts, pixel_size=2.0)
    factors: dict[Kind, int] = {"length": 2, "area": 4}
    for column in MEASURES:
        assert scaled[column.name] == pytest.approx(plain[column.name] * factors.get(column.kind, 1)), column


def test_parts_are_summed_and_share_one_hull() -> None:
    found = measured([square(0, 0, 10)], [square(10, 0, 10)])
    check(found, area=200, perimeter=80, solidity=1, convexity=0.75, bbox_width=20, centroid_x=10)


def test_parts_far_apart_have_no_convexity() -> None:
    assert math.isnan(measured([square(0, 0, 1)], [square(50, 0, 1)])["convexity"])


def test_the_box_of_an_object_with_parts_spans_all_of_them() -> None:
    check(measured([square(20, 30, 5)], [square(4, 6, 2)]), bbox_x=4, bbox_y=6, bbox_width=21, bbox_height=29)


@pytest.mark.parametrize(
    "ring",
    [BOW_TIE, np.ones((3, 2)), np.array([(0.0, 0), (5, 5), (10, 10)])],
    ids=["bow tie", "point", "line"],
)
def test_an_object_without_area_has_no_ratios_and_nothing_infinite(ring: Points) -> None:
    found = measured([ring])
    assert found["area"] == 0
    assert not np.isinf(list(found.values())).any()
    assert all(math.isnan(found[column.name]) for column in MEASURES if column.kind == "ratio")


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=3, max_size=12))
def test_no_outline_raises_or_measures_infinity(points: list[tuple[float, float]]) -> None:
    assert not np.isinf(list(measured([np.array(points)]).values())).any()


stars = st.lists(st.floats(1, 50), min_size=3, max_size=40).map(
    lambda radii: np.array(
        [
            (100 + radius * math.cos(turn), 100 + radius * math.sin(turn))
            for turn, radius in zip(np.arange(len(radii)) * 2 * np.pi / len(radii), radii, strict=True)
        ]
    )
)


@given(stars)
def test_a_simple_polygon_measures_as_in_shapely(ring: Points) -> None:
    found, polygon = measured([ring]), shapely.Polygon(ring)
    assert found["area"] == pytest.approx(polygon.area, rel=1e-9)
    assert found["perimeter"] == pytest.approx(polygon.length, rel=1e-9)
    assert found["solidity"] == pytest.approx(polygon.area / polygon.convex_hull.area, rel=1e-9)
    assert found["convexity"] == pytest.approx(polygon.convex_hull.length / polygon.length, rel=1e-9)
    assert (found["centroid_x"], found["centroid_y"]) == pytest.approx(
        (polygon.centroid.x, polygon.centroid.y)
    )


@given(stars, st.floats(0, 360), st.floats(-1e4, 1e4))
def test_turning_and_moving_changes_no_shape(ring: Points, degrees: float, shift: float) -> None:
    tilt = np.radians(degrees)
    turned = ring @ np.array([(np.cos(tilt), -np.sin(tilt)), (np.sin(tilt), np.cos(tilt))]) + shift
    before, after = measured([ring]), measured([turned[::-1]])
    unchanged = (
        "area", "perimeter", "solidity", "convexity", "feret_max", "feret_min", "major_axis", "minor_axis",
    )  # fmt: skip
    for name in unchanged:
        assert after[name] == pytest.approx(before[name], rel=1e-7), name


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 110, 179])
def test_angles_are_anticlockwise_from_the_x_axis_as_seen_on_the_screen(degrees: float) -> None:
    found = measured([ellipse(30, 10, 72, degrees)])
    assert found["orientation"] == pytest.approx(degrees, abs=1e-6)
    assert found["feret_angle"] == pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize("degrees", [10, 60, 100, 150])
def test_the_ellipse_is_that_of_scikit_image_on_a_fine_mask(degrees: float) -> None:
    fine, ring = 20, ellipse(30, 12, 72, degrees)
    mask = np.zeros((4000, 4000), np.uint8)
    cv2.fillPoly(mask, [np.round(ring * fine).astype(np.int32)], 1)
    found, seen = measured([ring]), regionprops(mask)[0]
    assert found["major_axis"] == pytest.approx(seen.axis_major_length / fine, rel=3e-3)
    assert found["minor_axis"] == pytest.approx(seen.axis_minor_length / fine, rel=5e-3)
    assert found["eccentricity"] == pytest.approx(seen.eccentricity, rel=3e-3)
    assert found["orientation"] == pytest.approx((math.degrees(seen.orientation) + 90) % 180, abs=0.1)


def test_points_at_the_end_of_the_world_spoil_no_other_object() -> None:
    far = np.array([(0.0, 0), (FARTHEST, FARTHEST), (-FARTHEST, FARTHEST), (3, -FARTHEST)])
    alone = measure.measure(image_of(objects_of([[L_SHAPE]]))).objects[0]
    together = measure.measure(image_of(objects_of([[far]], [[L_SHAPE]]))).objects
    np.testing.assert_allclose(together[1], alone)
    assert np.isfinite(together).all()


def of_image(**fields: Any) -> dict[str, float]:
    objects = objects_of([[square(0, 0, 10)]], [[square(20, 20, 20)]])
    row = measure.measure(image_of(objects, width=100, height=50, **fields)).image
    return dict(zip((column.name for column in IMAGE_MEASURES), row.tolist(), strict=True))


def test_an_image_without_a_scale_is_measured_in_pixels() -> None:
    found = of_image()
    check(found, width=100, object_count=2, total_area=500, mean_area=250, area_fraction=0.1)
    assert math.isnan(found["objects_per_mm2"])
    assert math.isnan(found["pixel_size"])


def test_an_image_with_a_scale_is_measured_in_micrometres() -> None:
    found = of_image(pixel_size=2.0)
    check(found, pixel_size=2, width=200, height=100, total_area=2000, mean_area=1000, area_fraction=0.1)
    check(found, objects_per_mm2=2 / (0.2 * 0.1))


def test_an_image_without_objects_counts_none() -> None:
    found = measure.measure(image_of())
    assert found.objects.shape == (0, len(MEASURES))
    assert found.image[[column.name for column in IMAGE_MEASURES].index("object_count")] == 0


def test_an_image_is_measured_once_and_forgotten_with_it() -> None:
    image = image_of(objects_of([[TRIANGLE]]))
    dataset = dataset_of(Path("/nowhere"), image)
    assert measure.measurements_of(image, dataset) is measure.measurements_of(image, dataset)
    remembered = len(measure._known)
    del image
    gc.collect()
    assert len(measure._known) < remembered
