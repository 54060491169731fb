from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from exports.archive import geometry
from exports.archive.dataset import Points
from exports.archive.geometry import Hulls
from tests.exports.archive.builders import objects_of, square

coordinates = st.floats(-1000, 1000, allow_subnormal=False).map(lambda value: round(value, 3))
clouds = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=40).map(
    lambda points: np.array(points, np.float64)
)


def hulls_of(*rings: Points) -> Hulls:
    objects = objects_of(*[[[ring]] for ring in rings])
    return Hulls.of(objects.points, np.repeat(objects.ring_objects, np.diff(objects.ring_starts)))


def brute_force_ferets(ring: Points) -> tuple[float, float]:
    """Every pair of points; every line through two points that has all others on one side."""
    spans = ring[:, None] - ring[None, :]
    lengths = np.hypot(spans[..., 0], spans[..., 1])
    unique = np.unique(ring, axis=0)
    widths = []
    for start in unique:
        for end in unique:
            normal = np.array([start[1] - end[1], end[0] - start[0]])
            if normal.any():
                heights = unique @ normal / np.hypot(*normal)
                widths.append(np.ptp(heights))
    return lengths.max(), min(widths, default=0.0)


@given(st.lists(clouds, min_size=1, max_size=5))
def test_feret_diameters_equal_brute_force(rings: list[Points]) -> None:
    ferets = geometry.ferets(hulls_of(*rings))
    expected = np.array([brute_force_ferets(ring) for ring in rings])
    np.testing.assert_allclose(ferets.largest, expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(ferets.smallest, expected[:, 1], rtol=1e-9, atol=1e-9)


@given(st.lists(clouds, min_size=1, max_size=5))
def test_the_feret_angle_is_a_direction_in_which_the_hull_is_that_wide(rings: list[Points]) -> None:
    ferets = geometry.ferets(hulls_of(*rings))
    for ring, largest, angle, across in zip(
        rings, ferets.largest, np.radians(ferets.angle), ferets.across, strict=True
    ):
        if largest:
            along = ring @ (math.cos(angle), -math.sin(angle))
            sideways = ring @ (math.sin(angle), math.cos(angle))
            assert np.ptp(along) == pytest.approx(largest, rel=1e-9)
            assert np.ptp(sideways) == pytest.approx(across, rel=1e-9, abs=1e-9)


@given(st.lists(clouds, min_size=1, max_size=5))
def test_hulls_equal_shapely(rings: list[Points]) -> None:
    hulls = hulls_of(*rings)
    expected = [shapely.MultiPoint(ring).convex_hull for ring in rings]
    np.testing.assert_allclose(hulls.areas(), [hull.area for hull in expected], rtol=1e-9, atol=1e-9)
    lengths = [hull.length if hull.area else 2 * hull.length for hull in expected]
    np.testing.assert_allclose(hulls.perimeters(), lengths, rtol=1e-9)


@given(clouds)
def test_leaving_out_what_cannot_be_a_corner_changes_no_hull(ring: Points) -> None:
    kept = ring[geometry.may_be_corners(ring, np.array([0, len(ring)]))]
    whole, reduced = shapely.MultiPoint(ring).convex_hull, shapely.MultiPoint(kept).convex_hull
    assert reduced.area == pytest.approx(whole.area, rel=1e-12)
    assert reduced.length == pytest.approx(whole.length, rel=1e-12)


def test_the_points_of_a_star_that_point_inwards_cannot_be_corners() -> None:
    turns, radii = np.arange(10) * np.pi / 5, np.tile([10.0, 3.0], 5)
    star = np.column_stack([radii * np.cos(turns), radii * np.sin(turns)])
    for ring in (star, star[::-1]):
        found = geometry.may_be_corners(ring, np.array([0, 10]))
        np.testing.assert_array_equal(found, np.hypot(*ring.T) > 5)


@pytest.mark.parametrize("corners", [3, 4, 5, 6, 7, 64, 1001])
def test_feret_of_a_regular_polygon_is_exact(corners: int) -> None:
    turns = np.arange(corners) * 2 * np.pi / corners
    ferets = geometry.ferets(hulls_of(50 + 20 * np.column_stack([np.cos(turns), np.sin(turns)])))
    is_odd = corners % 2
    widest = 40 * math.cos(np.pi / (2 * corners)) if is_odd else 40
    narrowest = 20 * (1 + math.cos(np.pi / corners)) if is_odd else 40 * math.cos(np.pi / corners)
    assert ferets.largest[0] == pytest.approx(widest, rel=1e-12)
    assert ferets.smallest[0] == pytest.approx(narrowest, rel=1e-12)


def test_of_equally_wide_directions_the_smallest_angle_is_taken_wherever_the_ring_starts() -> None:
    rings = [np.roll(square(3, 4, 7), shift, axis=0)[::step] for shift in range(4) for step in (1, -1)]
    np.testing.assert_allclose(geometry.ferets(hulls_of(*rings)).angle, 45)


def test_points_on_a_line_are_as_long_as_the_line_and_have_no_width() -> None:
    ferets = geometry.ferets(hulls_of(np.array([(0.0, 0), (3, 4), (1.5, 2)])))
    assert (ferets.largest[0], ferets.smallest[0]) == (5, 0)


def test_a_single_point_has_no_direction() -> None:
    ferets = geometry.ferets(hulls_of(np.ones((3, 2))))
    assert (ferets.largest[0], ferets.smallest[0], ferets.across[0]) == (0, 0, 0)
    assert np.isnan(ferets.angle[0])


@given(st.lists(clouds, min_size=1, max_size=5))
def test_perimeters_and_bounds_equal_shapely(rings: list[Points]) -> None:
    objects = objects_of(*[[[ring]] for ring in rings])
    expected = [shapely.LinearRing(ring) for ring in rings]
    lengths = geometry.perimeters(objects.points, objects.ring_starts)
    np.testing.assert_allclose(lengths, [ring.length for ring in expected], rtol=1e-9)
    np.testing.assert_array_equal(
        geometry.bounds(objects.points, objects.ring_starts), [ring.bounds for ring in expected]
    )


def test_moments_do_not_depend_on_which_way_a_ring_turns() -> None:
    ring = np.array([(0.0, 0), (5, 1), (7, 6), (2, 4)])
    there, back = (geometry.ring_moments(points, np.array([0, 4])) for points in (ring, ring[::-1]))
    np.testing.assert_allclose(there, back)


def test_moments_of_a_rectangle_are_those_of_the_integral() -> None:
    ring = np.array([(0.0, 0), (4, 0), (4, 6), (0, 6)])
    moments = geometry.ring_moments(ring, np.array([0, 4]))
    np.testing.assert_allclose(moments, [[24, 48, 72, 128, 144, 288]])
