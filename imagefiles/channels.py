"""How many channels the values of a stored image have, from its header alone."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import tifffile
from tifffile import PHOTOMETRIC

from imagefiles import headers
from imagefiles.headers import DAMAGE, UnreadableImage
from imagefiles.tiff import ALPHA, CMYK

_PNG_GREY = (0, 4)


def stored_channels(path: Path) -> int:
    """As many as `values.original_values` has, which would decode the image. Raise UnreadableImage."""
    count = _COUNTS[headers.read_stored(path).ending]
    try:
        with path.open("rb") as file:
            return count(file)
    except DAMAGE as error:
        raise UnreadableImage("The image file is damaged.") from error


def _of_png(file: BinaryIO) -> int:
    return 1 if file.read(26)[25] in _PNG_GREY else 3


def _of_jpeg(file: BinaryIO) -> int:
    headers.jpeg_size(file)  # the number of components is what comes next
    return 1 if file.read(1) == b"\x01" else 3


def _of_bmp(file: BinaryIO) -> int:
    """A palette of greys is one channel, as OpenCV has it."""
    start = file.read(54)
    size, is_old = int.from_bytes(start[14:18], "little"), start[14] == 12
    (bits,) = struct.unpack_from("<H", start, 24 if is_old else 28)
    if bits > 8:
        return 3
    used = 0 if is_old else int.from_bytes(start[46:50], "little")
    length, step = used or 1 << bits, 3 if is_old else 4
    file.seek(14 + size)
    palette = file.read(step * min(length, 256))
    blue, green, red = (palette[colour::step] for colour in range(3))
    return 1 if blue == green == red else 3


def _of_tiff(file: BinaryIO) -> int:
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        is_cmyk = page.photometric == PHOTOMETRIC.SEPARATED and page.tags.valueof(332, CMYK) == CMYK
        if is_cmyk or page.photometric in (PHOTOMETRIC.PALETTE, PHOTOMETRIC.YCBCR):
            return 3
        if page.photometric == PHOTOMETRIC.MINISWHITE:
            return int(page.samplesperpixel)
        return max(1, page.samplesperpixel - sum(kind in ALPHA for kind in page.extrasamples))


_COUNTS: dict[str, Callable[[BinaryIO], int]] = {
    ".png": _of_png,
    ".jpg": _of_jpeg,
    ".bmp": _of_bmp,
    ".tif": _of_tiff,
}
