from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from imagefiles.headers import Header, UnreadableImage, read, read_stored

PIXELS = np.zeros((20, 30), np.uint8)
PNG = cv2.imencode(".png", PIXELS)[1].tobytes()
JPEG = cv2.imencode(".jpg", PIXELS)[1].tobytes()
BMP = cv2.imencode(".bmp", PIXELS)[1].tobytes()


def _tiff(bigtiff: bool = False, byteorder: str = "<") -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, PIXELS.astype(np.uint16), bigtiff=bigtiff, byteorder=byteorder)
    return file.getvalue()


def _upside_down(bmp: bytes) -> bytes:
    return bmp[:22] + struct.pack("<i", -20) + bmp[26:]


def _in_the_old_way(bmp: bytes) -> bytes:
    return bmp[:14] + struct.pack("<IHHHH", 12, 30, 20, 1, 8) + bmp[26:]


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (PNG, ".png"),
        (JPEG, ".jpg"),
        (cv2.imencode(".jpg", PIXELS, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(), ".jpg"),
        (_tiff(), ".tif"),
        (_tiff(byteorder=">"), ".tif"),
        (_tiff(bigtiff=True), ".tif"),
        (BMP, ".bmp"),
        (_upside_down(BMP), ".bmp"),
        (_in_the_old_way(BMP), ".bmp"),
        (JPEG[:2] + b"\xff\x01\xff\xff" + JPEG[2:], ".jpg"),
    ],
    ids=[
        "png",
        "jpeg",
        "progressive jpeg",
        "tiff",
        "big-endian tiff",
        "bigtiff",
        "bmp",
        "bmp downwards",
        "bmp of OS/2",
        "filled jpeg",
    ],
)
def test_a_header_tells_kind_width_and_height(content: bytes, ending: str) -> None:
    assert read(BytesIO(content)) == Header(ending, 30, 20)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<svg/>", b"%PDF-1.7", b"PK\3\4", b"BMW is a car, and no picture"]
)
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match="not a PNG, JPEG, TIFF or BMP"):
        read(BytesIO(content))


@pytest.mark.parametrize("content", [PNG[:20], JPEG[:12], _tiff()[:12], PNG[:8] + bytes(40), BMP[:20]])
def test_a_header_that_is_cut_short_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match="damaged"):
        read(BytesIO(content))


@pytest.mark.parametrize("size", [(0, 5), (1 << 20, 1 << 20)])
def test_a_size_that_nobody_can_decode_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableImage, match="pixels"):
        read(BytesIO(PNG[:16] + struct.pack(">II", *size) + PNG[24:]))


@given(st.sampled_from([PNG, JPEG, BMP, _tiff()]), st.data())
def test_damage_anywhere_is_read_or_refused_but_never_breaks(content: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(content) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=8))
    try:
        header = read(BytesIO(content[:position] + noise + content[position + len(noise) :]))
    except UnreadableImage:
        return
    assert header.width * header.height > 0


def test_a_stored_file_that_is_gone_is_unreadable_and_its_path_not_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="cannot be found") as raised:
        read_stored(tmp_path / "gone.png")
    assert str(tmp_path) not in str(raised.value)
