from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from projects.outlines import OutlinedObject
from projects.readers import masks

Labels = NDArray[Any]

label_masks = arrays.arrays(
    np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3)
)


@given(label_masks)
def test_exact_outlines_have_the_area_of_their_pixels(labels: Labels) -> None:
    areas = [_polygon(each).area for each in masks.exact(labels)]
    assert areas == [(labels == label).sum() for label in _values(labels)]


@given(label_masks)
def test_exact_outlines_hold_exactly_the_pixels_of_their_label(labels: Labels) -> None:
    for label, each in zip(_values(labels), masks.exact(labels), strict=True):
        assert np.array_equal(_pixels_in(each, labels.shape), labels == label)


@given(label_masks)
def test_exact_rings_touch_neither_themselves_nor_other_parts_along_a_line(labels: Labels) -> None:
    assert all(_polygon(each).is_valid for each in masks.exact(labels))


@given(label_masks)
def test_smooth_outlines_hold_exactly_the_pixels_of_their_label(labels: Labels) -> None:
    for label, each in zip(_values(labels), masks.smooth(labels), strict=True):
        assert np.array_equal(_pixels_in(each, labels.shape), labels == label)


@given(label_masks)
def test_smooth_outlines_are_valid(labels: Labels) -> None:
    assert all(_polygon(each).is_valid for each in masks.smooth(labels))


@given(label_masks)
def test_smooth_outlines_stay_within_the_image(labels: Labels) -> None:
    for each in masks.smooth(labels):
        left, top, right, bottom = _polygon(each).bounds
        assert left >= 0
        assert top >= 0
        assert right <= labels.shape[1]
        assert bottom <= labels.shape[0]


def test_one_pixel_is_a_square_around_it() -> None:
    labels = np.zeros((3, 4), np.uint8)
    labels[1, 2] = 1
    [pixel] = masks.exact(labels)
    assert _points(pixel) == [[[(2, 1), (3, 1), (3, 2), (2, 2)]]]


def test_a_hole_is_a_ring_within_its_part() -> None:
    labels = np.ones((3, 3), np.uint8)
    labels[1, 1] = 0
    [frame] = masks.exact(labels)
    [[outer, hole]] = _points(frame)
    assert set(outer) == {(0, 0), (3, 0), (3, 3), (0, 3)}
    assert set(hole) == {(1, 1), (2, 1), (2, 2), (1, 2)}


def test_pixels_that_touch_by_a_corner_are_two_parts() -> None:
    [both] = masks.exact(np.eye(2, dtype=np.uint8))
    assert len(both.parts) == 2


def test_an_island_in_a_hole_is_a_part_of_its_own() -> None:
    labels = np.ones((5, 5), np.uint8)
    labels[1:4, 1:4] = 0
    labels[2, 2] = 1
    [found] = masks.exact(labels)
    assert [len(part) for part in found.parts] == [2, 1]


def test_another_object_in_a_hole_is_no_part_of_it() -> None:
    labels = np.full((3, 3), 7, np.uint8)
    labels[1, 1] = 9
    assert [[len(part) for part in each.parts] for each in masks.exact(labels)] == [[2], [1]]


def test_objects_come_in_the_order_of_their_labels_with_the_class_asked_for() -> None:
    labels = np.array([[300, 0, 5]], np.uint16)
    assert [each.class_name for each in masks.exact(labels, lambda label: f"class {label}")] == [
        "class 5",
        "class 300",
    ]


@pytest.mark.parametrize("read", [masks.exact, masks.smooth])
def test_a_mask_without_objects_is_no_outlines(read: Any) -> None:
    assert read(np.zeros((4, 4), np.uint8)) == []


@pytest.mark.parametrize("radius", [5, 8, 12, 20, 40])
def test_the_smooth_perimeter_of_a_disc_is_right_to_two_percent(radius: int) -> None:
    [disc] = masks.smooth(_disc(radius))
    assert _polygon(disc).length == pytest.approx(2 * np.pi * radius, rel=0.02)


@pytest.mark.parametrize("radius", [3, 5, 8, 12, 20, 40])
def test_the_smooth_area_of_a_disc_is_its_pixels_to_a_percent(radius: int) -> None:
    labels = _disc(radius)
    [disc] = masks.smooth(labels)
    assert _polygon(disc).area == pytest.approx(labels.sum(), rel=0.01)


def _disc(radius: int) -> Labels:
    ys, xs = np.mgrid[: 2 * radius + 6, : 2 * radius + 6] + 0.5
    return (np.hypot(xs - radius - 2.6, ys - radius - 2.3) < radius).astype(np.uint8)


def _values(labels: Labels) -> list[int]:
    return sorted(set(labels.ravel().tolist()) - {0})


def _polygon(each: OutlinedObject) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([(part[0], part[1:]) for part in each.parts])


def _pixels_in(each: OutlinedObject, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whose centre lies inside."""
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.asarray(shapely.contains_xy(_polygon(each), xs, ys))


def _points(each: OutlinedObject) -> list[list[list[tuple[float, ...]]]]:
    return [[[tuple(point) for point in np.asarray(ring)] for ring in part] for part in each.parts]
