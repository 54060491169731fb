from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.exposure import rescale_intensity

from imagefiles.display import for_display, shown
from imagefiles.headers import UnreadableImage
from tests.imagefiles.pictures import COLOUR, GREY, PICTURE, by_pillow, by_tifffile

FLOATS = GREY.astype(np.float32) / 255


def shown_of(folder: Path, content: bytes) -> NDArray[np.uint8]:
    (folder / "stored").write_bytes(content)
    return for_display(folder / "stored", width=64, height=48)


def as_skimage_stretches(values: NDArray[Any]) -> NDArray[Any]:
    """0 to 255 from the 0.35 to the 99.65 percentile, by another program."""
    low, high = np.percentile(values, (0.35, 99.65))
    return np.asarray(rescale_intensity(values.astype(float), in_range=(low, high), out_range=(0, 255)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_eight_bits_are_shown_as_they_are(tmp_path: Path, kind: str) -> None:
    assert np.array_equal(shown_of(tmp_path, by_pillow(kind, "L")), np.dstack([PICTURE.convert("L")] * 3))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_colours_are_in_the_order_blue_green_red(tmp_path: Path, kind: str) -> None:
    pixels = shown_of(tmp_path, by_pillow(kind))
    assert np.array_equal(pixels, COLOUR[:, :, ::-1])
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("content", [by_pillow("PNG", "RGBA"), by_pillow("PNG", "L"), by_pillow("JPEG")])
def test_rows_are_contiguous_and_may_be_drawn_on(tmp_path: Path, content: bytes) -> None:
    pixels = shown_of(tmp_path, content)
    assert (pixels.shape, pixels.dtype) == ((48, 64, 3), np.uint8)
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


@pytest.mark.parametrize("kind", ["u2", "i2", "u4", "i4", "i1", "f2", "f4", "f8"])
def test_more_or_other_than_eight_bits_are_stretched(tmp_path: Path, kind: str) -> None:
    values = (GREY.astype(float) / 4 - (0 if kind[0] == "u" else 20)).astype(kind)
    pixels = shown_of(tmp_path, by_tifffile(values))
    assert np.abs(pixels[:, :, 0] - as_skimage_stretches(values)).max() <= 1


def test_sixteen_bits_of_a_png_are_stretched(tmp_path: Path) -> None:
    deep = GREY.astype(np.uint16) * 4 + 1000
    pixels = shown_of(tmp_path, imagecodecs.png_encode(deep))
    assert np.abs(pixels[:, :, 0] - as_skimage_stretches(deep)).max() <= 1


def test_the_channels_of_a_colour_image_are_stretched_as_one(tmp_path: Path) -> None:
    deep = COLOUR.astype(np.uint16) * 9 + 500
    pixels = shown_of(tmp_path, by_tifffile(deep, photometric="rgb"))
    assert np.abs(pixels[:, :, ::-1] - as_skimage_stretches(deep)).max() <= 1


def test_all_channels_of_a_large_image_decide_what_is_black_and_white() -> None:
    deep = np.zeros((1024, 1024, 3), np.uint16)
    deep[:, :, 0], deep[:, :, 1] = 1000, 2000
    assert [shown(deep)[5, 5, channel] for channel in (2, 1, 0)] == [128, 255, 0]


@pytest.mark.parametrize(("low", "high"), [(0, 40), (100, 140), (215, 255)])
def test_low_contrast_of_eight_bits_is_stretched(tmp_path: Path, low: int, high: int) -> None:
    dim = (low + GREY.astype(int) * (high - low) // 252).astype(np.uint8)
    pixels = shown_of(tmp_path, by_tifffile(dim))
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_a_few_bright_cells_on_black_are_no_low_contrast(tmp_path: Path) -> None:
    cells = np.zeros((48, 64), np.uint8)
    cells[20:24, 30:34] = 200
    assert np.array_equal(shown_of(tmp_path, by_tifffile(cells))[:, :, 0], cells)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_one_grey_all_over_stays_that_grey(tmp_path: Path, value: int) -> None:
    pixels = shown_of(tmp_path, by_tifffile(np.full((48, 64), value, np.uint8)))
    assert (pixels == value).all()


@pytest.mark.parametrize("kind", ["u2", "i4", "f4", "f8"])
def test_one_value_all_over_is_shown_even(tmp_path: Path, kind: str) -> None:
    pixels = shown_of(tmp_path, by_tifffile(np.full((48, 64), 700, kind)))
    assert np.unique(pixels).size == 1


def test_what_is_no_number_is_black_and_does_not_count(tmp_path: Path) -> None:
    values = FLOATS + 1000
    values[:20] = np.nan
    values[20, :3] = np.nan, np.inf, -np.inf
    pixels = shown_of(tmp_path, by_tifffile(values))[:, :, 0]
    assert not pixels[:20].any()
    assert pixels[20, :3].tolist() == [0, 255, 0]
    assert pixels[21:].std() > 50


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308, -1e308])
def test_no_float_is_too_odd_to_be_shown(tmp_path: Path, value: float) -> None:
    values = FLOATS.astype(np.float64)
    values[10:30] = value
    assert shown_of(tmp_path, by_tifffile(values)).shape == (48, 64, 3)
    assert shown_of(tmp_path, by_tifffile(np.full((48, 64), value))).shape == (48, 64, 3)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    content = by_tifffile(GREY > 100, photometric="minisblack")
    assert np.array_equal(shown_of(tmp_path, content)[:, :, 0], np.where(GREY > 100, 255, 0))


def test_of_two_channels_the_first_is_shown_and_of_more_the_first_three(tmp_path: Path) -> None:
    planes = np.stack([GREY, 255 - GREY, GREY // 2, GREY // 3])
    two = shown_of(tmp_path, by_tifffile(planes[:2], photometric="minisblack", planarconfig="separate"))
    four = shown_of(tmp_path, by_tifffile(planes, photometric="minisblack", planarconfig="separate"))
    assert np.array_equal(two, np.dstack([GREY] * 3))
    assert np.array_equal(four, np.moveaxis(planes[2::-1], 0, -1))


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_of_a_tiff_is_more_than_unreadable(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(by_tifffile(GREY.astype(np.uint16), compression="lzw"))
    for place in random.integers(0, 300, 4):
        content[place] = random.integers(256)
    with suppress(UnreadableImage):
        assert shown_of(tmp_path, bytes(content)).shape == (48, 64, 3)
