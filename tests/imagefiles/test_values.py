from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from imagefiles.headers import UnreadableImage, read_stored
from imagefiles.values import original_values
from tests.imagefiles.pictures import (
    COLOUR,
    GREY,
    PICTURE,
    as_pillow_shows_it,
    by_pillow,
    by_tifffile,
    tiff_of,
    turned,
)

NUMBERS = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS: dict[str, dict[str, Any]] = {
    "jpeg2000": {"compressionargs": {"level": 0}},
    "webp": {"compressionargs": {"lossless": True}},
}
PLANES = np.stack([GREY, GREY // 2, 255 - GREY, GREY // 3])


def values_of(folder: Path, content: bytes) -> NDArray[Any]:
    path = folder / "stored"
    path.write_bytes(content)
    header = read_stored(path)
    return original_values(path, width=header.width, height=header.height)


_FRAMES = [PICTURE.rotate(180), PICTURE.rotate(180, translate=(9, 9))]


def _kinds() -> Iterator[tuple[str, bytes]]:
    """Files that Pillow decodes as well: its colours are the judge."""
    modes = {
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
        "JPEG": ("L", "RGB", "CMYK"),
        "BMP": ("1", "L", "P", "RGB", "RGBA"),
        "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"),
    }
    for kind, each in modes.items():
        yield from ((f"{kind} {mode}", by_pillow(kind, mode)) for mode in each)
    for fax in ("group3", "group4", "tiff_ccitt"):
        yield fax, by_pillow("TIFF", "1", compression=fax)
    yield "transparent palette", by_pillow("PNG", "P", transparency=3)
    yield "png with profile", by_pillow("PNG", icc_profile=PROFILE)
    yield "jpeg with profile", by_pillow("JPEG", icc_profile=PROFILE)
    yield "progressive", by_pillow("JPEG", progressive=True)
    yield (
        "animation",
        by_pillow("PNG", save_all=True, append_images=_FRAMES, default_image=True),
    )
    yield "YCbCr in LZW", by_pillow("TIFF", "YCbCr", compression="tiff_lzw")
    yield "YCbCr in JPEG", by_pillow("TIFF", "YCbCr", compression="jpeg")
    yield "CMYK deflated", by_pillow("TIFF", "CMYK", compression="tiff_adobe_deflate")
    yield "one bit, white is zero", by_tifffile(GREY > 100)
    yield "tiles of JPEG", by_tifffile(COLOUR, photometric="rgb", compression="jpeg", tile=(32, 32))


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in _kinds()])
def test_colours_are_those_that_another_program_shows(tmp_path: Path, content: bytes) -> None:
    values = values_of(tmp_path, content)
    assert values.shape[2] in (1, 3)
    assert np.abs(values.astype(int) - as_pillow_shows_it(content)).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_picture_is_not_turned_as_its_camera_was(tmp_path: Path, kind: str) -> None:
    """Objects were outlined on the pixels as they are stored."""
    content = by_pillow(kind, exif=turned())
    assert ImageOps.exif_transpose(Image.open(BytesIO(content))).size == (48, 64)
    assert np.array_equal(values_of(tmp_path, content), values_of(tmp_path, by_pillow(kind)))


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_tiff_keeps_its_numbers_and_their_type(tmp_path: Path, kind: str) -> None:
    signed = GREY.astype(float) - (0 if kind[0] == "u" else 100)
    values = values_of(tmp_path, by_tifffile(signed.astype(kind)))
    assert values.dtype == np.dtype(kind)
    assert np.array_equal(values[:, :, 0], signed.astype(kind))


@pytest.mark.parametrize(
    "options",
    [
        *({"compression": each} for each in ("zlib", "deflate", "lzw", "packbits", "zstd", "lzma", "png")),
        {"compression": "lzw", "predictor": True},
        {"compression": "jpeg2000", **LOSSLESS["jpeg2000"]},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"tile": (16, 32)},
        {"rowsperstrip": 5, "compression": "zlib"},
    ],
    ids=str,
)
def test_sixteen_bits_come_through_every_way_of_storing_them(tmp_path: Path, options: dict[str, Any]) -> None:
    deep = GREY.astype(np.uint16) * 200
    assert np.array_equal(values_of(tmp_path, by_tifffile(deep, **options))[:, :, 0], deep)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "webp", "jpeg2000", "png"])
def test_colours_come_through_every_compression(tmp_path: Path, compression: str) -> None:
    options = {"compression": compression, **LOSSLESS.get(compression, {})}
    content = by_tifffile(COLOUR, photometric="rgb", **options)
    assert np.array_equal(values_of(tmp_path, content), COLOUR)


@pytest.mark.parametrize("axes", ["planes", "pixels"])
def test_every_channel_of_a_tiff_is_kept_in_its_order(tmp_path: Path, axes: str) -> None:
    stored, way = (PLANES, "separate") if axes == "planes" else (np.moveaxis(PLANES, 0, -1), "contig")
    content = by_tifffile(stored, photometric="minisblack", planarconfig=way)
    assert np.array_equal(values_of(tmp_path, content), np.moveaxis(PLANES, 0, -1))


@pytest.mark.parametrize(
    "options",
    [{"imagej": True, "metadata": {"axes": "TZCYX"}}, {"ome": True, "metadata": {"axes": "TZCYX"}}, {}],
    ids=["imagej", "ome", "pages"],
)
def test_of_a_stack_the_first_page_is_read(tmp_path: Path, options: dict[str, Any]) -> None:
    stack = np.arange(12 * 48 * 64, dtype=np.uint16).reshape(2, 3, 2, 48, 64)
    content = by_tifffile(stack, photometric="minisblack", **options)
    assert np.array_equal(values_of(tmp_path, content)[:, :, 0], stack[0, 0, 0])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_keeps_its_sixteen_bits_and_drops_transparency(tmp_path: Path, channels: int) -> None:
    deep = np.dstack([COLOUR, GREY]).astype(np.uint16)[:, :, 4 - channels :] * 77
    values = values_of(tmp_path, imagecodecs.png_encode(deep))
    assert np.array_equal(values, deep[:, :, : 1 if channels < 3 else 3])


@pytest.mark.parametrize("times", [1, 257])
def test_a_palette_is_resolved_whether_written_with_eight_or_sixteen_bits(tmp_path: Path, times: int) -> None:
    palette = np.stack([np.arange(256), np.arange(256)[::-1], np.full(256, 7)]).astype(np.uint16) * times
    values = values_of(tmp_path, by_tifffile(GREY, photometric="palette", colormap=palette))
    assert np.array_equal(values, np.dstack([GREY, 255 - GREY, np.full_like(GREY, 7)]))


def test_where_white_is_zero_larger_is_brighter_all_the_same(tmp_path: Path) -> None:
    content = by_tifffile(GREY.astype(np.uint16), photometric="miniswhite")
    assert np.array_equal(values_of(tmp_path, content)[:, :, 0], 65_535 - GREY.astype(np.uint16))


def test_transparency_of_a_tiff_is_dropped_and_further_channels_are_not(tmp_path: Path) -> None:
    five = np.dstack([COLOUR, GREY, GREY // 2])
    content = by_tifffile(five, photometric="rgb", extrasamples=["unassalpha", "unspecified"])
    assert np.array_equal(values_of(tmp_path, content), five[:, :, [0, 1, 2, 4]])


def test_four_bits_are_spread_over_eight(tmp_path: Path) -> None:
    packed = (np.arange(64, dtype=np.uint8)[None, :] // 4).repeat(48, axis=0)
    content = _grey_tiff_of_four_bits(packed)
    assert np.array_equal(values_of(tmp_path, content), as_pillow_shows_it(content)[:, :, :1])
    assert values_of(tmp_path, content).max() == 255


@pytest.mark.parametrize("subsampling", [(2, 1), (2, 2)])
def test_pixels_that_share_their_colour_are_read(tmp_path: Path, subsampling: tuple[int, int]) -> None:
    content = _ycbcr_tiff(subsampling)
    assert np.abs(values_of(tmp_path, content).astype(int) - as_pillow_shows_it(content)).max() <= 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (by_tifffile(COLOUR, photometric="cielab"), "CIELAB"),
        (by_tifffile(COLOUR, photometric="rgb", compression="jpegxr"), "JPEGXR"),
        (by_tifffile(GREY.astype(np.complex64)), "complex"),
    ],
    ids=["colours", "compression", "complex"],
)
def test_what_is_not_read_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UnreadableImage, match=words):
        values_of(tmp_path, content)


def test_the_name_of_a_file_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "really a png.tif").write_bytes(by_pillow("PNG"))
    assert np.array_equal(original_values(tmp_path / "really a png.tif", width=64, height=48), COLOUR)


def test_another_size_than_promised_is_refused_before_decoding(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(by_pillow("PNG")[:60])
    with pytest.raises(UnreadableImage, match="as large as the project says"):
        original_values(tmp_path / "a.png", width=64, height=50)


def test_what_takes_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(by_tifffile(COLOUR, photometric="rgb"))
    with pytest.raises(UnreadableImage, match="more memory"):
        original_values(tmp_path / "a.tif", width=64, height=48, max_bytes=9000)


def _grey_tiff_of_four_bits(values: NDArray[np.uint8]) -> bytes:
    packed = (values[:, ::2] << 4 | values[:, 1::2]).tobytes()
    return tiff_of({258: (4,), 259: (1,), 262: (1,), 277: (1,)}, packed)


def _ycbcr_tiff(subsampling: tuple[int, int]) -> bytes:
    """Units of some Y, then their Cb and Cr (TIFF 6.0, section 21), deflated."""
    across, down = subsampling
    picture = np.asarray(PICTURE.convert("YCbCr"))
    brightness = picture[:, :, 0].reshape(48 // down, down, 64 // across, across).swapaxes(1, 2)
    units = brightness.reshape(48 // down, 64 // across, down * across)
    strip = np.dstack([units, picture[::down, ::across, 1:]]).tobytes()
    kinds = {258: (8, 8, 8), 259: (8,), 262: (6,), 277: (3,), 530: subsampling}
    return tiff_of(kinds, zlib.compress(strip))
