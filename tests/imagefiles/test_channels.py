"""The header says how many channels there are; the decoded values are the judge."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest

from imagefiles.channels import stored_channels
from imagefiles.headers import UnreadableImage
from imagefiles.values import original_values
from tests.imagefiles.pictures import COLOUR, GREY, PICTURE, by_pillow, by_tifffile, turned

PLANES = np.stack([GREY, GREY // 2, 255 - GREY, GREY // 3, GREY, GREY // 5])


def _with_grey_palette(kind: str) -> bytes:
    file, picture = BytesIO(), PICTURE.convert("L").quantize(9)
    picture.putpalette([level for index in range(9) for level in [index * 20] * 3])
    picture.save(file, kind)
    return file.getvalue()


def _kinds() -> Iterator[tuple[str, bytes, int]]:
    """Files with the number of channels that a person would count, their transparency aside."""
    counts = {"1": 1, "L": 1, "LA": 1, "P": 3, "RGB": 3, "RGBA": 3, "CMYK": 3, "YCbCr": 3}
    modes = {
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
        "JPEG": ("L", "RGB", "CMYK"),
        "BMP": ("1", "L", "P", "RGB", "RGBA"),
        "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"),
    }
    for kind, each in modes.items():
        yield from ((f"{kind} {mode}", by_pillow(kind, mode), counts[mode]) for mode in each)
    yield "png of 16 bits", cv2.imencode(".png", GREY.astype(np.uint16) * 99)[1].tobytes(), 1
    yield "colours of 16 bits", cv2.imencode(".png", COLOUR.astype(np.uint16) * 99)[1].tobytes(), 3
    yield "jpeg as cameras write it", by_pillow("JPEG", exif=turned()), 3
    yield "progressive jpeg", by_pillow("JPEG", "L", progressive=True), 1
    yield "bmp with greys in a palette", _with_grey_palette("BMP"), 1
    yield "tiff with jpeg inside", by_pillow("TIFF", compression="jpeg"), 3
    yield "float", by_tifffile(GREY.astype("f4")), 1
    yield "pages", by_tifffile(PLANES, photometric="minisblack"), 1
    yield "planes of one page", by_tifffile(PLANES, photometric="minisblack", planarconfig="separate"), 6
    yield (
        "samples",
        by_tifffile(np.moveaxis(PLANES[:4], 0, -1), photometric="minisblack", extrasamples=[0, 0, 0]),
        4,
    )
    yield "colours and more", by_tifffile(
        np.dstack([COLOUR, GREY, GREY]), photometric="rgb", extrasamples=["unassalpha", "unspecified"]
    ), 4  # fmt: skip
    yield "white is zero", by_tifffile(GREY, photometric="miniswhite"), 1
    yield "imagej", by_tifffile(PLANES[:4].reshape(2, 2, 48, 64), imagej=True, metadata={"axes": "ZCYX"}), 1
    yield (
        "planar colours",
        by_tifffile(np.moveaxis(COLOUR, -1, 0), photometric="rgb", planarconfig="separate"),
        3,
    )


KINDS = [pytest.param(content, count, id=name) for name, content, count in _kinds()]


@pytest.mark.parametrize(("content", "count"), KINDS)
def test_the_header_says_as_many_channels_as_are_decoded(tmp_path: Path, content: bytes, count: int) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    assert original_values(path, width=64, height=48).shape[2] == count
    assert stored_channels(path) == count


@pytest.mark.parametrize("content", [b"", b"no image", b"BM", b"\xff\xd8\xff\xe0\0\0", b"II*\0\x08\0\0\0"])
def test_a_file_without_a_header_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage):
        stored_channels(path)


def test_a_file_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage):
        stored_channels(tmp_path / "gone")
