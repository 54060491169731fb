from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import Segmentation
from projects.outlines import DamagedOutlines, OutlinedObject, Outlines, columns, pack, unpack

Rings = list[list[tuple[float, float]]]

coordinates = st.floats(-1e6, 1e6, allow_nan=False)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=6)
parts = st.lists(rings, min_size=1, max_size=3)
scores = st.none() | st.floats(0, 1)
names = st.sampled_from(["cell", "nucleus", "Zellkern µ", "=1+1"])
objects = st.builds(
    OutlinedObject, parts=st.lists(parts, min_size=1, max_size=3), class_name=names, score=scores
)

SQUARE = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]
HOLE = [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0)]
WITHIN = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)]
TRIANGLE = [(6.0, 6.0), (9.0, 6.0), (6.0, 9.0)]


@given(st.lists(objects, max_size=5))
def test_what_is_packed_is_unpacked(given_objects: list[OutlinedObject]) -> None:
    outlines = unpack(Segmentation(**pack(given_objects)))
    assert _objects_of(outlines) == [
        (
            [[[tuple(point) for point in ring] for ring in part] for part in each.parts],
            each.class_name,
            each.score,
        )
        for each in given_objects
    ]


@given(st.lists(objects, max_size=5))
def test_the_counts_are_those_of_the_objects(given_objects: list[OutlinedObject]) -> None:
    packed = pack(given_objects)
    every_part = [part for each in given_objects for part in each.parts]
    assert packed["object_count"] == len(given_objects)
    assert packed["hole_count"] == sum(len(part) - 1 for part in every_part)
    assert packed["multipart_count"] == sum(len(each.parts) > 1 for each in given_objects)
    assert packed["score_count"] == sum(each.score is not None for each in given_objects)


@given(st.lists(objects, max_size=5))
def test_unpacked_outlines_have_the_columns_that_they_came_from(given_objects: list[OutlinedObject]) -> None:
    packed = pack(given_objects)
    assert columns(unpack(Segmentation(**packed))) == packed


def test_no_objects_are_packed_to_nothing() -> None:
    packed = pack([])
    assert (packed["points"], packed["rings"], packed["class_names"]) == (b"", b"", [])
    assert len(unpack(Segmentation(**packed)).classes) == 0


def test_a_missing_score_is_not_a_number() -> None:
    outlines = unpack(
        Segmentation(**pack([OutlinedObject([[SQUARE]]), OutlinedObject([[SQUARE]], score=0.0)]))
    )
    assert math.isnan(outlines.scores[0])
    assert outlines.scores[1] == 0


def test_rings_keep_their_object_and_their_part() -> None:
    outlines = unpack(
        Segmentation(**pack([OutlinedObject([[SQUARE]]), OutlinedObject([[SQUARE, HOLE], [TRIANGLE]])]))
    )
    assert outlines.rings.tolist() == [[0, 0, 4], [1, 0, 4], [1, 0, 3], [1, 1, 3]]


@pytest.mark.parametrize("column", ["points", "rings", "classes", "scores"])
def test_a_column_that_is_cut_short_is_reported(column: str) -> None:
    packed = pack([OutlinedObject([[SQUARE, HOLE]], score=0.5)])
    packed[column] = packed[column][:-1]
    with pytest.raises(DamagedOutlines, match="cut short"):
        unpack(Segmentation(**packed))


def test_points_with_an_x_but_no_y_are_reported() -> None:
    packed = pack([OutlinedObject([[SQUARE]])])
    packed["points"] = packed["points"][:-8]
    with pytest.raises(DamagedOutlines):
        unpack(Segmentation(**packed))


def _objects_of(outlines: Outlines) -> list[tuple[list[Rings], str, float | None]]:
    """Read by hand, point by point."""
    found: list[tuple[list[Rings], str, float | None]] = []
    for index, score in zip(outlines.classes, outlines.scores, strict=True):
        found.append(([], outlines.class_names[index], None if np.isnan(score) else float(score)))
    points = iter(map(tuple, outlines.points.tolist()))
    for owner, part, length in outlines.rings.tolist():
        parts_found = found[owner][0]
        if part == len(parts_found):
            parts_found.append([])
        parts_found[part].append([next(points) for _ in range(length)])
    return found


def moved(ring: list[tuple[float, float]], x: float) -> list[tuple[float, float]]:
    return [(left + x, top) for left, top in ring]


@pytest.mark.parametrize(
    ("given_parts", "count"),
    [
        ([], 0),
        ([[[SQUARE]]], 0),
        ([[[SQUARE]], [[moved(SQUARE, 4)]]], 0),  # neighbours
        ([[[SQUARE]], [[moved(SQUARE, 3)]]], 1),
        ([[[SQUARE]], [[moved(SQUARE, 3.6)]]], 0),  # less than to the centres of the pixels
        ([[[SQUARE]], [[moved(SQUARE, 3.4)]]], 1),
        ([[[SQUARE]], [[SQUARE]]], 1),
        ([[[SQUARE]], [[moved(SQUARE, 3)]], [[moved(SQUARE, 2)]]], 2),
        ([[[SQUARE]], [[WITHIN]]], 1),
        ([[[SQUARE, WITHIN]], [[WITHIN]]], 0),
        ([[[SQUARE], [moved(SQUARE, 1)]], [[TRIANGLE]]], 0),  # an object's own parts
        ([[[TRIANGLE], [SQUARE]], [[moved(SQUARE, 3)]]], 1),
        ([[[[(0, 0), (4, 4), (4, 0), (0, 4)]]], [[SQUARE]]], 1),  # a bow tie
        ([[[[(0, 0), (1, math.nan), (1, 0)]]], [[SQUARE]]], 0),
        ([[[[(0, 0), (4, 4)]]], [[SQUARE]]], 0),
    ],
)
def test_objects_under_later_ones_are_counted(given_parts: list[list[Rings]], count: int) -> None:
    assert pack([OutlinedObject(parts=each) for each in given_parts])["overlap_count"] == count
