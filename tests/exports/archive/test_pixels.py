from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from exports.archive.pixels import UnreadableImage, for_display, read_dimensions

GREY = ((np.arange(64)[None, :] * 3 + np.arange(48)[:, None] * 5) % 256).astype(np.uint8)
COLOUR = np.dstack([GREY, GREY // 2, 255 - GREY])


def stored(folder: Path, name: str, pixels: NDArray[Any], **options: Any) -> Path:
    """Colours in the order blue, green, red for PNG and JPEG; red, green, blue for TIFF."""
    path = folder / name
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels, **options)
    else:
        assert cv2.imwrite(str(path), pixels)
    return path


def shown(path: Path) -> NDArray[np.uint8]:
    return for_display(path, width=64, height=48)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_eight_bit_grey_is_shown_as_it_is(tmp_path: Path, ending: str) -> None:
    pixels = shown(stored(tmp_path, f"a.{ending}", GREY))
    assert np.array_equal(pixels, np.dstack([GREY] * 3))


@pytest.mark.parametrize("extra", [None, GREY])
def test_colours_of_a_png_are_kept_and_transparency_dropped(tmp_path: Path, extra: Any) -> None:
    channels = COLOUR if extra is None else np.dstack([COLOUR, extra])
    assert np.array_equal(shown(stored(tmp_path, "a.png", channels)), COLOUR)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_of_a_tiff_are_not_swapped(tmp_path: Path, planar: str) -> None:
    rgb = COLOUR[:, :, ::-1]
    content = rgb if planar == "contig" else np.moveaxis(rgb, -1, 0)
    path = stored(tmp_path, "a.tif", content, photometric="rgb", planarconfig=planar)
    assert np.array_equal(shown(path), COLOUR)


def test_a_jpeg_is_read(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(COLOUR, (0, 0), 5)
    difference = shown(stored(tmp_path, "a.jpg", smooth)).astype(int) - smooth
    assert np.abs(difference).mean() < 8


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_are_stretched_over_the_grey_values_in_use(tmp_path: Path, ending: str) -> None:
    deep = GREY.astype(np.uint16) * 4 + 1000
    pixels = shown(stored(tmp_path, f"a.{ending}", deep))[:, :, 0]
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert np.abs(pixels.astype(int) - GREY).max() <= 3


def test_a_float_image_with_holes_in_it_is_shown(tmp_path: Path) -> None:
    values = GREY.astype(np.float32) / 255
    values[0, :2] = np.nan, np.inf
    assert shown(stored(tmp_path, "a.tif", values))[10:].std() > 50


def test_a_constant_sixteen_bit_image_is_shown(tmp_path: Path) -> None:
    assert np.unique(shown(stored(tmp_path, "a.png", np.full((48, 64), 700, np.uint16)))).size == 1


def test_only_the_first_plane_of_a_stack_is_shown(tmp_path: Path) -> None:
    stack = np.stack([GREY, 255 - GREY, GREY // 2])
    path = stored(tmp_path, "a.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    assert np.array_equal(shown(path)[:, :, 0], GREY)


def test_white_is_zero_where_the_tiff_says_so(tmp_path: Path) -> None:
    path = stored(tmp_path, "a.tif", GREY, photometric="miniswhite")
    assert np.array_equal(shown(path)[:, :, 0], 255 - GREY)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_the_size_comes_from_the_header(tmp_path: Path, name: str) -> None:
    assert read_dimensions(stored(tmp_path, name, GREY)) == (64, 48)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.6, 0.98])
def test_a_file_that_was_cut_off_is_unreadable(tmp_path: Path, name: str, kept: float) -> None:
    path = stored(tmp_path, name, GREY, **({"compression": "zlib"} if name == "a.tif" else {}))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(UnreadableImage) as raised:
        shown(path)
    assert str(tmp_path) not in str(raised.value)


def test_a_file_that_is_no_image_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("<svg/>")
    with pytest.raises(UnreadableImage, match="not a PNG, JPEG or TIFF"):
        shown(tmp_path / "a.png")


def test_a_file_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage):
        shown(tmp_path / "gone.png")


def test_another_size_than_promised_is_refused_before_decoding(tmp_path: Path) -> None:
    path = stored(tmp_path, "a.png", np.zeros((50, 64), np.uint8))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UnreadableImage, match="as large as the project says"):
        shown(path)


def test_a_header_that_promises_too_many_pixels_is_refused(tmp_path: Path) -> None:
    path = stored(tmp_path, "a.png", GREY)
    content = path.read_bytes()
    path.write_bytes(content[:16] + (70_000).to_bytes(4, "big") * 2 + content[24:])
    with pytest.raises(UnreadableImage, match="pixels"):
        read_dimensions(path)


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_of_a_tiff_is_more_than_unreadable(tmp_path: Path, seed: int) -> None:
    path = stored(tmp_path, "a.tif", GREY.astype(np.uint16), compression="lzw")
    content, random = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for place in random.integers(0, 300, 4):
        content[place] = random.integers(256)
    path.write_bytes(content)
    with suppress(UnreadableImage):
        assert shown(path).shape == (48, 64, 3)
