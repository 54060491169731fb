from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from exports.archive import labels
from exports.archive.dataset import Image, Objects, Points
from exports.archive.labels import LabelImage, label_image, labels_of
from tests.exports.archive.builders import image_of, objects_of, square
from tests.exports.archive.outlines import blob

HEIGHT, WIDTH = 48, 64


def labelled(objects: Objects, **size: int) -> LabelImage:
    return label_image(image_of(objects, **size), lambda: None)


def drawn(*rings: Points) -> NDArray[np.bool_]:
    """What scikit-image draws, even-odd over the rings."""
    shape = (HEIGHT, WIDTH)
    return np.logical_xor.reduce([polygon2mask(shape, ring[:, ::-1] - 0.5) for ring in rings])


def scribble(random: np.random.Generator, corners: int = 12) -> Points:
    """A ring that crosses itself and leaves the image on every side."""
    return random.uniform((-20, -20), (WIDTH + 20, HEIGHT + 20), (corners, 2))


def crowd(seed: int, count: int = 30) -> Image:
    """Overlapping objects with holes and several parts."""
    random = np.random.default_rng(seed)
    parts = [[blob(*random.uniform(0, 50, 2), 9), blob(*random.uniform(0, 50, 2), 3)] for _ in range(count)]
    return image_of(objects_of(*[parts[index : index + 2] for index in range(0, count, 2)]))


@given(st.integers(0, 2**32), st.integers(3, 20))
def test_a_ring_covers_the_pixels_that_scikit_image_draws(seed: int, corners: int) -> None:
    ring = scribble(np.random.default_rng(seed), corners)
    assert np.array_equal(labelled(objects_of([[ring]])).labels == 1, drawn(ring))


@given(st.integers(0, 2**32))
def test_the_rings_of_a_part_take_turns(seed: int) -> None:
    random = np.random.default_rng(seed)
    rings = [scribble(random), scribble(random), scribble(random)]
    assert np.array_equal(labelled(objects_of([rings])).labels == 1, drawn(*rings))


@given(st.integers(0, 2**32))
def test_the_parts_of_an_object_add_up_and_share_pixels_but_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    rings = [scribble(random), scribble(random), scribble(random)]
    found = labelled(objects_of([[ring] for ring in rings]))
    expected = np.logical_or.reduce([drawn(ring) for ring in rings])
    assert np.array_equal(found.labels == 1, expected)
    assert found.covered.tolist() == [expected.sum()]


@given(st.integers(0, 2**32))
def test_the_later_object_wins_and_what_the_others_lose_is_counted(seed: int) -> None:
    random = np.random.default_rng(seed)
    rings = [scribble(random) for _ in range(4)]
    found, masks = labelled(objects_of(*[[[ring]] for ring in rings])), [drawn(ring) for ring in rings]
    expected = np.zeros((HEIGHT, WIDTH), int)
    for number, mask in enumerate(masks, start=1):
        expected[mask] = number
    assert np.array_equal(found.labels, expected)
    assert found.covered.tolist() == [mask.sum() for mask in masks]
    assert found.overwritten == sum(mask.sum() for mask in masks) - np.count_nonzero(expected)


def test_objects_that_lose_pixels_and_objects_that_are_not_seen_are_counted() -> None:
    hidden, half, speck, outside = (
        square(2, 2, 5),
        square(20, 20, 4),
        square(40.6, 1.6, 0.3),
        square(70, 1, 9),
    )
    rings = [hidden, half, speck, outside, square(1, 1, 8), square(22, 20, 4)]
    found = labelled(objects_of(*[[[ring]] for ring in rings]))
    assert found.visible.tolist() == [0, 8, 0, 0, 64, 16]
    assert (found.overlapped, found.absent, found.overwritten) == (2, 3, 25 + 8)


def test_objects_smaller_than_a_pixel_cover_their_area_on_average() -> None:
    random, side = np.random.default_rng(7), 0.4
    corners = random.uniform(0, 40, (20_000, 2))
    found = labelled(objects_of(*[[[square(x, y, side)]] for x, y in corners]))
    assert found.covered.mean() == pytest.approx(side**2, rel=0.05)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 0.3]))
def test_neighbours_share_every_pixel_out_among_them(seed: int, jitter: float) -> None:
    """A sheet of warped tiles, with corners on pixel corners and on pixel centres as well."""
    random = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(-1, 10) * 8.5, np.arange(-1, 10) * 6.5), axis=-1)
    grid += random.uniform(-3, 3, grid.shape).round() * jitter
    tiles = [
        grid[[row, row, row + 1, row + 1], [column, column + 1, column + 1, column]]
        for row, column in product(range(10), range(10))
    ]
    found = labelled(objects_of(*[[[tile]] for tile in tiles]))
    assert found.labels.all()
    assert found.covered.sum() == HEIGHT * WIDTH


def test_a_square_on_pixel_borders_covers_exactly_its_pixels() -> None:
    found = labelled(objects_of([[square(3, 5, 10), square(6, 8, 4)]]))
    rows, columns = np.nonzero(found.labels)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 14, 3, 12)
    assert found.covered.tolist() == [84]
    assert not found.labels[8:12, 6:10].any()


def test_what_lies_outside_the_image_is_cut_off() -> None:
    rings = [blob(0, 0, 30), blob(60, 45, 30), blob(30, 60, 25)]
    here = labelled(objects_of(*[[[ring]] for ring in rings])).labels
    moved = labelled(objects_of(*[[[ring + 50]] for ring in rings]), width=200, height=200).labels
    assert np.array_equal(here, moved[50 : 50 + HEIGHT, 50 : 50 + WIDTH])


@pytest.mark.parametrize("far", [1e5, -1e5, 2.0**24, -(2.0**24)])
def test_a_point_at_the_end_of_the_world_is_only_a_direction(far: float) -> None:
    found = labelled(objects_of([[np.array([(10.0, 10.0), (far, 20.0), (10.0, 30.0)])]])).labels
    columns = np.flatnonzero(found[19])
    assert (columns.min(), columns.max()) == ((10, WIDTH - 1) if far > 0 else (0, 9))


coordinates = st.floats(-1e3, 1e3) | st.floats(-(2.0**24), 2.0**24)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8).map(np.array)
parts = st.lists(st.lists(rings, min_size=1, max_size=3), min_size=1, max_size=3)


@given(st.lists(parts, max_size=4))
def test_any_coordinates_give_an_image(objects: list[list[list[Points]]]) -> None:
    found = labelled(objects_of(*objects))
    assert found.labels.max() <= len(objects)
    assert (found.visible <= found.covered).all()


def test_an_image_without_objects_is_zero_throughout() -> None:
    found = labelled(Objects.none())
    assert (found.labels.shape, found.labels.dtype, found.labels.any()) == ((HEIGHT, WIDTH), np.uint16, False)
    assert (found.overwritten, found.overlapped, found.absent) == (0, 0, 0)


@pytest.mark.parametrize(("count", "kind"), [(65_535, np.uint16), (65_536, np.uint32)])
def test_numbers_above_65535_take_32_bits(count: int, kind: type) -> None:
    corners = np.column_stack(np.divmod(np.arange(count), 256))[:, ::-1].astype(float)
    points = (corners[:, None] + square(0, 0, 1)).reshape(-1, 2)
    owners, none = np.arange(count), np.zeros(count, np.int64)
    objects = Objects(points, np.arange(count + 1) * 4, owners, none, none, np.full(count, np.nan))
    found = labelled(objects, width=256, height=256).labels
    assert found.dtype == kind
    assert np.array_equal(found.reshape(-1)[:count], owners + 1)


@pytest.mark.parametrize("most", [1, 7, 500])
def test_the_image_does_not_depend_on_how_much_is_done_at_once(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = label_image(crowd(3), lambda: None)
    monkeypatch.setattr(labels, "_CROSSINGS_AT_ONCE", most)
    monkeypatch.setattr(labels, "_PIXELS_AT_ONCE", most)
    found = label_image(crowd(3), lambda: None)
    assert np.array_equal(found.labels, expected.labels)
    assert np.array_equal(found.covered, expected.covered)
    assert np.array_equal(found.visible, expected.visible)


@pytest.mark.parametrize(
    ("limit", "x"),
    [("_CROSSINGS_AT_ONCE", WIDTH + 1), ("_PIXELS_AT_ONCE", 1)],
    ids=["beside it", "within it"],
)
def test_the_checkpoint_is_called_all_the_time(limit: str, x: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, limit, 2)
    calls: list[None] = []
    label_image(image_of(objects_of([[square(x, 1, 40)]])), lambda: calls.append(None))
    assert len(calls) >= 40


class Cancelled(Exception):
    pass


def test_an_export_that_has_to_end_ends_within_an_image() -> None:
    def end() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        label_image(crowd(3), end)


def test_an_image_is_drawn_once_for_all_its_writers() -> None:
    image = crowd(3)
    assert labels_of(image, lambda: None) is labels_of(image, lambda: None)
    assert labels_of(crowd(3), lambda: None) is not labels_of(image, lambda: None)
