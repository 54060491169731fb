from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree

from exports.archive.dataset import Points
from exports.archive.single_ring import single_ring
from tests.exports.archive.builders import square
from tests.exports.archive.outlines import blob

SIZE = (160, 120)
IMAGE = shapely.box(0, 0, *SIZE)


def ring_of(*outers: Points) -> Points:
    return single_ring(list(outers), SIZE, lambda: None)


def filled(ring: Points) -> shapely.Geometry:
    """The area inside, as GEOS understands a ring that touches itself."""
    return shapely.make_valid(shapely.Polygon(ring), method="structure")


def union(*outers: Points) -> shapely.Geometry:
    return shapely.union_all([shapely.Polygon(outer) for outer in outers])


def bridges(ring: Points) -> list[shapely.LineString]:
    """The edges that the ring goes along in both directions."""
    ends = [tuple(map(tuple, edge)) for edge in np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)]
    return [shapely.LineString(edge) for edge in ends if edge < edge[::-1] and edge[::-1] in ends]


def test_a_ring_inside_keeps_its_points() -> None:
    ring = blob(60, 60, 30)
    assert ring_of(ring) is ring


@given(st.floats(-40, 200), st.floats(-40, 160), st.floats(5, 120))
def test_a_ring_over_the_edge_keeps_its_shape_inside(x: float, y: float, radius: float) -> None:
    outer = blob(x, y, radius)
    ring, seen = ring_of(outer), shapely.intersection(IMAGE, union(outer))
    shown = filled(ring) if len(ring) > 2 else shapely.Polygon()
    assert shapely.symmetric_difference(shown, seen).area == pytest.approx(0, abs=1e-6)
    assert ((ring >= 0) & (ring <= SIZE)).all()


def test_two_arms_that_meet_outside_are_both_there() -> None:
    arms = np.array([(-9, 10), (20, 10), (20, 20), (-5, 20), (-5, 30), (20, 30), (20, 40), (-9, 40.0)])
    assert filled(ring_of(arms)).area == 400


def test_what_goes_around_the_image_is_the_whole_image() -> None:
    assert shapely.equals(filled(ring_of(square(-500, -500, 2_000))), IMAGE)


@pytest.mark.parametrize("place", [(-30, 10), (170, 10), (10, -30), (10, 130), (500, 500)])
def test_nothing_is_left_of_what_lies_outside(place: tuple[int, int]) -> None:
    assert len(ring_of(square(*place, 10))) == 0
    assert len(ring_of(square(*place, 10), square(*place, 5))) == 0


def test_a_part_outside_needs_no_bridge() -> None:
    assert len(ring_of(square(10, 10, 10), square(-50, 10, 10))) == 4


def test_parts_without_an_area_need_no_bridge() -> None:
    line = np.array([(50, 50), (60, 60), (55, 55.0)])
    assert len(ring_of(square(10, 10, 10), line)) == 4
    assert len(ring_of(line, line + 20)) == 0


def test_the_bridge_is_the_shortest_line_even_between_edges_and_corners() -> None:
    roof = np.array([(0, 60), (100, 60), (50, 110.0)])
    ring = ring_of(roof, square(45, 40, 10))
    (bridge,) = bridges(ring)
    assert bridge.length == 10
    assert len(ring) == 3 + 4 + 3  # one end in the middle of an edge, once for each direction


def test_parts_that_touch_at_a_corner_need_no_bridge() -> None:
    ring = ring_of(square(10, 10, 10), square(20, 20, 10))
    assert bridges(ring) == []
    assert filled(ring).area == 200


def test_parts_that_overlap_become_what_they_cover() -> None:
    outers = (square(10, 10, 20), square(20, 20, 20))
    ring = ring_of(*outers)
    assert (len(ring), shapely.Polygon(ring).area) == (8, 700)


def test_a_part_that_crosses_itself_is_there_with_all_that_it_covers() -> None:
    """GEOS repairs it into two polygons that share an edge."""
    crossing = np.array([(2, 5), (4, 4), (2, 2), (4, 3), (2, 5), (5, 5), (2, 2.0)])
    assert filled(ring_of(crossing, square(50, 50, 10))).area == pytest.approx(100 + 5.25)


def test_a_part_in_the_gap_of_others_is_swallowed_with_the_gap() -> None:
    left = np.array([(0, 0), (50, 0), (50, 10), (10, 10), (10, 40), (50, 40), (50, 50), (0, 50.0)])
    ring = ring_of(left, left * (-1, 1) + (90, 0), square(40, 20, 5))
    assert shapely.equals(shapely.Polygon(ring), shapely.box(0, 0, 90, 50))


cells = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=2, max_size=12, unique=True)
shapes = st.tuples(st.floats(2, 7), st.floats(-0.4, 0.4), st.sampled_from([3, 4, 11, 30]))


@settings(max_examples=60)
@given(cells, st.lists(shapes, min_size=12, max_size=12))
def test_bridges_are_as_short_as_a_tree_can_be_and_cross_nothing(
    places: list[tuple[int, int]], kinds: list[tuple[float, float, int]]
) -> None:
    outers = [
        blob(16 * x + 8, 16 * y + 8, radius / (1 + abs(dent)), dent, corners)
        for (x, y), (radius, dent, corners) in zip(places, kinds, strict=False)
    ]
    ring, parts = ring_of(*outers), [shapely.Polygon(outer) for outer in outers]
    lines = bridges(ring)
    distances = np.array([[shapely.distance(one, other) for other in parts] for one in parts])
    assert sum(line.length for line in lines) == pytest.approx(minimum_spanning_tree(distances).sum())
    assert max(shapely.intersection(line, part).length for line in lines for part in parts) < 1e-9
    assert not any(shapely.crosses(*pair) for pair in combinations(lines, 2))
    assert shapely.symmetric_difference(filled(ring), union(*outers)).area < 1e-6


def test_hundreds_of_parts_are_joined_while_the_export_may_end() -> None:
    outers = [square(3 * (n % 50), 3 * (n // 50), 1 + n % 2) for n in range(1_000)]
    calls: list[int] = []
    ring = single_ring(outers, SIZE, lambda: calls.append(1))
    assert shapely.Polygon(ring).area == pytest.approx(sum(1 + 3 * (n % 2) for n in range(1_000)))
    assert len(calls) >= len(outers)


def test_the_end_of_the_world_is_only_a_direction() -> None:
    far = np.array([(10, 10), (2.0**24, 20), (10, 30)])
    ring = ring_of(far)
    assert filled(ring).area == pytest.approx(20 * 150, rel=1e-4)
    assert math.isclose(ring[:, 0].max(), SIZE[0])
