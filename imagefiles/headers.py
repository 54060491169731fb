"""What an image file says about itself in its first bytes, without decoding it; its name counts for nothing."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_PIXELS = 1 << 30
"""More than OpenCV decodes; 32,768 x 32,768."""

SMALL_BYTES = 1 << 28
MOST_EXPANSION = 500
"""Times that an image of more than SMALL_BYTES may be larger than its file; 100 is much for label masks."""

# What decoders raise for files that are damaged or made to harm; tifffile promises nothing narrower.
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset(range(0xD0, 0xDA)) | {0x01}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}


class UnreadableImage(ValueError):
    """What is no image, or one that cannot be decoded; the sentence may be shown to the user and holds no path."""


@dataclass(frozen=True)
class Header:
    ending: str
    """`.png`, `.jpg`, `.tif` or `.bmp`, by content."""
    width: int
    height: int


def refuse_bomb(bytes_needed: int, file_size: int, max_bytes: int) -> None:
    """Raise UnreadableImage for what takes more than `max_bytes`, or much from a file that holds next to nothing."""
    if bytes_needed > max_bytes:
        raise UnreadableImage("The image takes more memory than is given to one.")
    if bytes_needed > max(SMALL_BYTES, MOST_EXPANSION * file_size):
        raise UnreadableImage(
            f"The image is more than {MOST_EXPANSION} times as large as its file: most of it is missing or empty."
        )


def read_stored(path: Path) -> Header:
    """The header of a stored file. Raise UnreadableImage, also when the file is gone."""
    try:
        with path.open("rb") as file:
            return read(file)
    except OSError as error:
        raise UnreadableImage("The image file cannot be found or read.") from error


def read(file: BinaryIO) -> Header:
    """Raise UnreadableImage when `file` is no PNG, JPEG, TIFF or BMP, is damaged or has too many pixels."""
    try:
        header = _header(file)
    except UnreadableImage:
        raise
    except DAMAGE as error:
        raise UnreadableImage("The image file is damaged.") from error
    if not 0 < header.width * header.height <= MAX_PIXELS:
        raise UnreadableImage(f"An image may have 1 to {MAX_PIXELS:,} pixels.")
    return header


def _header(file: BinaryIO) -> Header:
    start = file.read(26)
    if start.startswith(_PNG):
        return Header(".png", *_png_size(start))
    if start.startswith(_JPEG):
        return Header(".jpg", *jpeg_size(file))
    if start.startswith(_TIFF):
        return Header(".tif", *_tiff_size(file))
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _BMP_HEADERS:
        return Header(".bmp", *_bmp_size(start))
    raise UnreadableImage("The file is not a PNG, JPEG, TIFF or BMP image.")


def _png_size(start: bytes) -> tuple[int, int]:
    """From the first chunk, IHDR (ISO/IEC 15948, 11.2.2)."""
    if start[12:16] != b"IHDR":
        raise ValueError("the first chunk is not the header")
    width, height = struct.unpack(">II", start[16:24])
    return width, height


def jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height from the first frame header (ITU T.81, B.1.1.2 and B.2.2)."""
    file.seek(2)
    while True:
        kind = _jpeg_marker(file)
        if kind in _JPEG_ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if kind in _JPEG_FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        if length < 2:
            raise ValueError("a segment without its length")
        file.seek(length - 2, 1)


def _jpeg_marker(file: BinaryIO) -> int:
    """The code of the marker that comes next; any number of fill bytes may stand before it."""
    if file.read(1) != b"\xff":
        raise ValueError("not a marker")
    while (code := file.read(1)) == b"\xff":
        pass
    return code[0]


def _bmp_size(start: bytes) -> tuple[int, int]:
    """From the bitmap header, of which there is an old kind with 16 bits; rows may run downwards."""
    is_old = start[14] == 12
    width, height = struct.unpack("<HH", start[18:22]) if is_old else struct.unpack("<ii", start[18:26])
    if width < 0:
        raise ValueError("a negative width")
    return width, abs(height)


def _tiff_size(file: BinaryIO) -> tuple[int, int]:
    """Of the first page."""
    # Heavy, and nobody who only looks at pages needs it.
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        return int(page.imagewidth), int(page.imagelength)
