from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.measure import euler_number

from exports.archive.dataset import Image, Objects, Style
from exports.archive.overlay import Overlays, _fitting, draw, encode_png, render
from imagefiles.headers import UnreadableImage
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square

FILL_ONLY = Style(show_numbers=False, external_color="#00FF00", opacity=1.0, stroke_width=1)
GREEN = (0, 255, 0)


def black(folder: Path, objects: Objects) -> Image:
    return image_of(objects, folder, np.zeros((48, 64, 3), np.uint8))


def drawn(image: Image, style: Style) -> NDArray[Any]:
    pixels = cv2.imdecode(np.frombuffer(render(image, style), np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.dtype == np.uint8
    return pixels


def test_an_object_is_filled_where_it_lies(tmp_path: Path) -> None:
    pixels = drawn(black(tmp_path, objects_of([[square(10, 20, 12)]])), FILL_ONLY)
    assert (pixels[21:31, 11:21] == GREEN).all()
    ys, xs = np.nonzero(pixels[:, :, 1] > 127)
    assert (xs.min(), ys.min()) in {(9, 19), (10, 20)}
    assert not pixels[:18].any()
    assert not pixels[:, :8].any()


def test_a_hole_is_outlined_and_not_filled(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[square(8, 8, 32), square(16, 16, 16)]]))
    pixels = drawn(image, FILL_ONLY)
    assert not pixels[19:29, 19:29].any()
    assert pixels[24, 16, 0] > 127


def test_objects_that_overlap_do_not_cancel_out(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[square(5, 5, 30)]], [[square(10, 10, 30)]]))
    assert (drawn(image, FILL_ONLY)[20:30, 20:30] == GREEN).all()


def test_opacity_blends_with_the_image(tmp_path: Path) -> None:
    grey = np.full((48, 64, 3), 100, np.uint8)
    image = image_of(objects_of([[square(10, 10, 20)]]), tmp_path, grey)
    pixels = drawn(image, Style(show_numbers=False, opacity=0.25))
    assert pixels[20, 20].tolist() == [75, 75, 139]
    assert pixels[40, 40].tolist() == [100, 100, 100]


def test_numbers_stand_inside_their_object_where_they_are_asked_for(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[square(20, 10, 30)]]))
    with_number = drawn(image, Style(opacity=0, font_size=14))
    without = drawn(image, Style(opacity=0, show_numbers=False))
    ys, xs = np.nonzero((with_number != without).any(axis=2))
    assert 20 < xs.min() <= xs.max() < 50
    assert 10 < ys.min() <= ys.max() < 40
    assert with_number.min(axis=2).max() > 180


@pytest.mark.parametrize("place", [-1e7, -20.0, 60.0, 1e7])
def test_objects_beyond_the_edge_are_drawn_as_far_as_they_reach(tmp_path: Path, place: float) -> None:
    image = black(tmp_path, objects_of([[square(place, place, 30)]], [[square(2, 2, 3)]]))
    assert drawn(image, Style(font_size=100)).shape == (48, 64, 3)


def test_an_outline_without_area_is_drawn(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[np.full((4, 2), 20.0)]], [[np.array([(1, 1), (9, 9), (1, 1.0)])]]))
    assert drawn(image, Style()).any()


def test_an_image_without_objects_is_the_image(tmp_path: Path) -> None:
    image = image_of(None, tmp_path)
    assert np.array_equal(drawn(image, Style()), image.pixels)


def test_the_cached_pixels_are_left_alone(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[square(10, 10, 20)]]))
    render(image, Style())
    assert not image.pixels.any()


def test_drawing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[square(10.3, 10.7, 20.1)]]))
    assert render(image, Style()) == render(image, Style())


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (256, 3), (257, 5), (700, 9)])
def test_the_png_is_read_back_pixel_by_pixel(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encode_png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert np.array_equal(decoded, pixels)


@pytest.mark.parametrize(("chosen", "start"), [("png", b"\x89PNG"), ("jpg", b"\xff\xd8")])
def test_the_writer_names_the_file_after_the_image(tmp_path: Path, chosen: str, start: bytes) -> None:
    image = black(tmp_path, Objects.none())
    (entry,) = Overlays(dataset_of(tmp_path, image, style=Style(image_format=chosen))).add(image)
    assert entry.path == f"visualizations/cell 1_overlay.{chosen}"
    assert isinstance(entry.content, bytes)
    assert entry.content.startswith(start)


def test_an_image_that_cannot_be_decoded_is_unreadable(tmp_path: Path) -> None:
    image = black(tmp_path, Objects.none())
    image.original.write_bytes(b"damaged")
    with pytest.raises(UnreadableImage):
        render(image, Style())


def test_a_picture_too_wide_for_jpeg_is_unreadable(tmp_path: Path) -> None:
    image = image_of(None, tmp_path, np.zeros((1, 65_501, 3), np.uint8), width=65_501, height=1)
    with pytest.raises(UnreadableImage, match="65,500"):
        render(image, Style(image_format="jpg"))


def test_pixels_are_counted_from_their_corner(tmp_path: Path) -> None:
    image = black(tmp_path, objects_of([[square(22.5, 14.5, 19)]]))
    coloured = drawn(image, FILL_ONLY)[:, :, 1] > 127
    assert coloured.any()
    assert np.array_equal(coloured, coloured[::-1, ::-1])


@pytest.mark.parametrize(
    ("text", "width", "height", "expected"),
    [("1", 400, 400, 32), ("1", 30, 30, 18), ("123", 30, 30, 10), ("1", 3, 3, 10), ("88", 400, 25, 16)],
)
def test_a_number_leaves_its_object_to_be_seen(text: str, width: float, height: float, expected: int) -> None:
    assert _fitting(text, width, height, font_size=32) == expected


def test_a_number_at_the_edge_is_written_whole(tmp_path: Path) -> None:
    style = Style(opacity=0)
    corner, middle = (black(tmp_path, objects_of([[square(at, at, 8)]])) for at in (0, 20))
    white = [(drawn(each, style).min(axis=2) > 200).sum() for each in (corner, middle)]

    assert white[0] == white[1] > 0


def test_a_picture_can_be_ended_between_its_steps(tmp_path: Path) -> None:
    calls = []
    image = image_of(
        objects_of([[square(2, 2, 6)]]), tmp_path, np.zeros((1000, 16, 3), np.uint8), width=16, height=1000
    )
    render(image, Style(), lambda: calls.append(1))

    # After decoding and each kind of outline, and for each band of rows that is filled or packed.
    assert len(calls) == 1 + 2 + 4 + 4


@pytest.mark.parametrize(("side", "ring_side", "expected"), [(2000, 800, 2), (8192, 800, 8), (8192, 20, 2)])
def test_outlines_grow_with_a_large_image_unless_they_would_hide_its_objects(
    side: int, ring_side: float, expected: int
) -> None:
    canvas, objects = np.zeros((side, 1000, 3), np.uint8), objects_of([[square(100, 100, ring_side)]])
    draw(canvas, objects, Style(show_numbers=False, opacity=0))
    middle = 100 + int(ring_side / 2)
    line = int((canvas[:middle, middle, 2] > 127).sum())
    assert expected <= line <= expected + 2  # OpenCV's smooth lines are that much wider


@pytest.mark.parametrize(("side", "expected"), [(2000, 32), (8192, 128), (20_000, 256)])
def test_numbers_grow_with_a_large_image(side: int, expected: int) -> None:
    canvas, objects = np.zeros((side, 1000, 3), np.uint8), objects_of([[square(100, 100, 800)]])
    draw(canvas, objects, Style(opacity=0, external_color="#000000"))
    rows = np.flatnonzero((canvas.min(axis=2) > 127).any(axis=1))
    assert abs(int(np.ptp(rows)) + 1 - expected) <= expected / 5


def test_a_number_beside_a_hole_keeps_to_the_room_that_is_left(tmp_path: Path) -> None:
    ring = [square(100, 100, 80), square(120, 120, 40)]
    image = image_of(objects_of([ring]), tmp_path, np.zeros((300, 300, 3), np.uint8), width=300, height=300)
    without = drawn(image, Style(opacity=0, show_numbers=False, stroke_width=1))
    ys, xs = np.nonzero((drawn(image, Style(opacity=0, stroke_width=1)) != without).any(axis=2))
    assert len(xs)
    inside = (xs >= 100) & (xs < 180) & (ys >= 100) & (ys < 180)
    in_hole = (xs >= 120) & (xs < 160) & (ys >= 120) & (ys < 160)
    assert inside.all()
    assert not in_hole.any()


def test_each_object_bears_its_own_number(tmp_path: Path) -> None:
    """Told by how many strokes and rings the white digits are made of: 8 is one with two rings, 10 two with one."""
    objects = objects_of(*([[square(100 * place, 0, 100)]] for place in range(10)))
    image = image_of(objects, tmp_path, np.zeros((100, 1000, 3), np.uint8), width=1000, height=100)
    white = drawn(image, Style(opacity=0, font_size=60, external_color="#000000")).min(axis=2) > 60
    found = [euler_number(white[:, 100 * place : 100 * place + 100]) for place in range(10)]
    assert found == [1, 1, 1, 0, 1, 0, 1, -1, 0, 1]


@pytest.mark.parametrize("side", [32, 100, 1000, 5000])
def test_a_number_stands_out_on_black_and_on_white(tmp_path: Path, side: int) -> None:
    objects = objects_of([[square(side / 4, side / 4, side / 2)]])
    style = Style(opacity=0, external_color="#808080")
    for grey in (0, 255):
        canvas = np.full((side, side, 3), grey, np.uint8)
        draw(canvas, objects, style)
        inner = canvas[side * 3 // 8 : side * 5 // 8, side * 3 // 8 : side * 5 // 8, 0]
        assert inner.min() < 60
        assert inner.max() > 180
