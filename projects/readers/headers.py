"""What an image file says about itself in its first bytes, without decoding it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

MAX_PIXELS = 1 << 30
"""More than OpenCV decodes; 32,768 x 32,768."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class NotAnImage(ValueError):
    """The sentence may be shown to the user."""


@dataclass(frozen=True)
class Header:
    ending: str
    """`.png`, `.jpg` or `.tif`, by content."""
    width: int
    height: int


def read(content: bytes) -> Header:
    """Raise NotAnImage when `content` is no PNG, JPEG or TIFF file, is damaged or is too large."""
    try:
        header = _header(content)
    except NotAnImage:
        raise
    except (LookupError, OSError, TypeError, ValueError, struct.error) as error:
        raise NotAnImage("The image file is damaged.") from error
    if not 0 < header.width * header.height <= MAX_PIXELS:
        raise NotAnImage(f"An image may have 1 to {MAX_PIXELS:,} pixels.")
    return header


def _header(content: bytes) -> Header:
    if content.startswith(_PNG):
        return Header(".png", *_png_dimensions(content))
    if content.startswith(_JPEG):
        return Header(".jpg", *_jpeg_dimensions(content))
    if content.startswith(_TIFF):
        return Header(".tif", *_tiff_dimensions(content))
    raise NotAnImage("The file is not a PNG, JPEG or TIFF image.")


def _png_dimensions(content: bytes) -> tuple[int, int]:
    """From the first chunk, IHDR (ISO/IEC 15948, 11.2.2)."""
    if content[12:16] != b"IHDR":
        raise ValueError("the first chunk is not the header")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_dimensions(content: bytes) -> tuple[int, int]:
    """From the first frame header (ITU T.81, B.2.2)."""
    position = 2
    while True:
        marker, kind, length = struct.unpack_from(">BBH", content, position)
        if marker != 0xFF or length < 2:
            raise ValueError("not a marker")
        if kind in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return width, height
        position += 2 + length


def _tiff_dimensions(content: bytes) -> tuple[int, int]:
    """Of the first page."""
    # Heavy, and nobody who only looks at pages needs it.
    import tifffile

    with tifffile.TiffFile(BytesIO(content)) as tiff:
        page = tiff.pages.first
        return int(page.imagewidth), int(page.imagelength)
