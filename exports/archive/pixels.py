"""Reading stored images: their size from the header, and their pixels as they are shown.

PNG and JPEG are read by OpenCV, TIFF by tifffile (the first plane of a stack). The orientation that a camera
notes in EXIF is ignored: objects were outlined on the pixels as they are stored.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

Pixels = NDArray[Any]

MAX_PIXELS = 1 << 30
"""More than OpenCV decodes; 32,768 x 32,768."""

_PERCENTILES = (0.35, 99.65)
_SAMPLE = 1 << 20
_MAX_BYTES_PER_PIXEL = 64
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What decoders raise for files that are damaged or made to harm; tifffile promises nothing narrower.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    cv2.error,
    struct.error,
    zlib.error,
)


class UnreadableImage(Exception):
    """An image that cannot be decoded; the sentence may be shown to the user and holds no path."""


def for_display(path: Path, *, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 BGR, its rows contiguous.

    Eight bits are kept as they are; more are stretched from the 0.35 to the 99.65 percentile of all channels.
    Raise UnreadableImage, also when the size is not the one given: nothing larger is ever decoded.
    """
    if read_dimensions(path) != (width, height):
        raise UnreadableImage("The image is not as large as the project says.")
    pixels = _in_three_channels(_decoded(path))
    if pixels.shape != (height, width, 3):
        raise UnreadableImage("The image is not as large as its header says.")
    return np.ascontiguousarray(_in_eight_bits(pixels))


def read_dimensions(path: Path) -> tuple[int, int]:
    """Width and height from the header, without decoding. Raise UnreadableImage."""
    try:
        with path.open("rb") as file:
            width, height = _dimensions(file)
    except _DAMAGE as error:
        raise UnreadableImage("The image file is damaged.") from error
    if not 0 < width * height <= MAX_PIXELS:
        raise UnreadableImage(f"An image may have 1 to {MAX_PIXELS:,} pixels.")
    return width, height


def _dimensions(file: BinaryIO) -> tuple[int, int]:
    start = file.read(24)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack(">II", start[16:24])
        return width, height
    if start.startswith(b"\xff\xd8"):
        return _jpeg_dimensions(file)
    if start.startswith(_TIFF):
        return _tiff_dimensions(file)
    raise UnreadableImage("The image is not a PNG, JPEG or TIFF file.")


def _jpeg_dimensions(file: BinaryIO) -> tuple[int, int]:
    """From the first frame header (ITU T.81, B.2.2)."""
    file.seek(2)
    while True:
        marker, kind, length = struct.unpack(">BBH", file.read(4))
        if marker != 0xFF or length < 2:
            raise ValueError("not a marker")
        if kind in _JPEG_SIZES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)


def _tiff_dimensions(file: BinaryIO) -> tuple[int, int]:
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        return int(page.imagewidth), int(page.imagelength)


def _decoded(path: Path) -> Pixels:
    """(h, w) or (h, w, channels); colours in the order blue, green, red."""
    try:
        content = path.read_bytes()
        if content.startswith(_TIFF):
            return _decoded_tiff(BytesIO(content))
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except _DAMAGE as error:
        raise UnreadableImage("The image file is damaged.") from error
    if pixels is None:
        raise UnreadableImage("The image file is damaged.")
    return pixels


def _decoded_tiff(file: BinaryIO) -> Pixels:
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        if page.nbytes > _MAX_BYTES_PER_PIXEL * page.imagewidth * page.imagelength:
            raise ValueError("more planes in one page than an image has")
        pixels, axes = page.asarray(), page.axes
        if page.colormap is not None:
            pixels, axes = np.moveaxis(page.colormap[:, pixels], 0, -1), axes + "S"
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            pixels = ~pixels
    return _first_plane(pixels, axes)


def _first_plane(pixels: Pixels, axes: str) -> Pixels:
    """From an array whose axes are named as in tifffile: Y, X, S for samples; of any other the first."""
    pixels = pixels[tuple(slice(None) if axis in "YXS" else 0 for axis in axes)]
    kept = [axis for axis in axes if axis in "YXS"]
    if "S" not in kept:
        return pixels
    pixels = np.moveaxis(pixels, kept.index("S"), -1)
    return pixels[:, :, 2::-1] if pixels.shape[-1] >= 3 else pixels


def _in_three_channels(pixels: Pixels) -> Pixels:
    """Grey three times; transparency and further channels are dropped."""
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        return pixels[:, :, :3]
    grey = pixels if pixels.ndim == 2 else pixels[:, :, 0]
    return np.repeat(_in_eight_bits(grey)[:, :, None], 3, axis=2)


def _in_eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    values = np.nan_to_num(pixels.astype(np.float32), posinf=0, neginf=0)
    # Sorting a sample is enough: percentiles of a million pixels differ by less than a grey level.
    low, high = np.percentile(values.reshape(-1)[:: max(1, values.size // _SAMPLE)], _PERCENTILES)
    if high <= low:
        low, high = values.min(), values.max()
    stretched = (values - low) * (255 / max(high - low, 1e-12))
    eight_bits: NDArray[np.uint8] = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
    return eight_bits
