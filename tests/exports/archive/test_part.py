"""Which part of an image is shown, and which objects reach into it."""

from __future__ import annotations

import numpy as np
import pytest

from exports.archive.dataset import Objects
from exports.archive.part import Part, fullest, within


def squares(*places: tuple[float, float]) -> Objects:
    """10 pixels wide each, at these corners; each has a second part 2 pixels wide right below it."""
    large = np.array([(0, 0), (10, 0), (10, 10), (0, 10)])
    small = np.array([(0, 12), (2, 12), (2, 14), (0, 14)])
    count = len(places)
    return Objects(
        points=np.concatenate([ring + place for place in places for ring in (large, small)]).astype(float),
        ring_starts=np.arange(2 * count + 1) * 4,
        ring_objects=np.arange(2 * count) // 2,
        ring_parts=np.arange(2 * count) % 2,
        classes=np.arange(count),
        scores=np.full(count, np.nan),
    )


def test_objects_that_touch_the_part_keep_their_numbers_and_parts() -> None:
    some = within(squares((0, 0), (95, 50), (300, 300), (150, 95)), Part(100, 40, 60, 60))
    assert some.numbers.tolist() == [2, 4]
    assert some.objects.classes.tolist() == [1, 3]
    assert [len(list(some.objects.parts(index))) for index in (0, 1)] == [2, 2]
    assert some.objects.ring(0).tolist() == [[95, 50], [105, 50], [105, 60], [95, 60]]
    assert some.corner.tolist() == [100, 40]


@pytest.mark.parametrize("objects", [Objects.none(), squares((500, 500))])
def test_where_nothing_is_there_is_nothing(objects: Objects) -> None:
    assert len(within(objects, Part(0, 0, 100, 100)).objects) == 0


def test_the_fullest_part_has_most_objects() -> None:
    crowd = squares((10, 10), *((800 + 5 * step, 600) for step in range(9)))
    part = fullest(crowd, (1000, 1000), (480, 360))
    assert len(within(crowd, part).objects) == 9
    assert (part.left + part.width <= 1000, part.top + part.height <= 1000) == (True, True)


@pytest.mark.parametrize(
    ("image", "part"),
    [
        ((1000, 1000), Part(260, 320, 480, 360)),
        ((64, 48), Part(0, 0, 64, 48)),
        ((100, 1000), Part(0, 320, 100, 360)),
    ],
)
def test_without_objects_the_middle_is_shown(image: tuple[int, int], part: Part) -> None:
    assert fullest(Objects.none(), image, (480, 360)) == part


def test_objects_outside_the_image_move_the_part_nowhere() -> None:
    assert fullest(squares((-9e6, -9e6), (9e6, 9e6)), (500, 500), (480, 360)) in (
        Part(0, 0, 480, 360),
        Part(20, 140, 480, 360),
    )


def test_around_a_part_is_what_the_image_has() -> None:
    assert Part(100, 20, 50, 40).widened(30, 1000, 70) == Part(70, 0, 110, 70)
