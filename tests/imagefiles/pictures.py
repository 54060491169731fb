"""One picture of 64 x 48 pixels, and files of it by other people's programs."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

_ROWS, _COLUMNS = np.mgrid[0:48, 0:64]
COLOUR = np.dstack([_COLUMNS * 4, _ROWS * 5, (_ROWS + _COLUMNS) * 2]).astype(np.uint8)
"""Red, green, blue; smooth, so that JPEG changes it little."""
GREY = COLOUR[:, :, 0]

PICTURE = Image.fromarray(COLOUR)


def by_pillow(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """The picture in a mode of Pillow's: 1, L, LA, P, RGB, RGBA, CMYK, YCbCr, I, F."""
    file = BytesIO()
    (PICTURE.quantize(40) if mode == "P" else PICTURE.convert(mode)).save(file, kind, **options)
    return file.getvalue()


def by_tifffile(values: NDArray[Any], **options: Any) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def turned(degrees_code: int = 6) -> Image.Exif:
    """EXIF as cameras write it that are held upright."""
    exif = Image.Exif()
    exif[0x112] = degrees_code
    return exif


def as_pillow_shows_it(content: bytes) -> NDArray[Any]:
    """(height, width, 3): Pillow turns nothing unless it is asked to."""
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


def tiff_of(tags: dict[int, tuple[int, ...]], strip: bytes) -> bytes:
    """A TIFF of one strip, in 64 x 48 pixels unless its tags say otherwise (TIFF 6.0, section 2)."""
    one_strip = {256: (64,), 257: (48,), 278: (48,), 273: (8,), 279: (len(strip),)}
    tags = one_strip | tags
    start = 8 + len(strip) + len(strip) % 2
    behind = start + 6 + 12 * len(tags)
    entries, values = b"", b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        inline = packed if len(packed) == 4 else struct.pack("<I", behind + len(values))
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + inline
        values += packed if len(packed) > 4 else b""
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", start) + strip.ljust(start - 8, b"\0") + directory + values
