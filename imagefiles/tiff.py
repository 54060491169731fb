"""The first page of a TIFF, as values.

What a page says of its size is believed only within bounds, and so is what the pictures say in which some kinds of
compression keep its parts: each of them has a size of its own, which its decoder would take memory for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from tifffile import PHOTOMETRIC

from imagefiles import headers
from imagefiles.headers import UnreadableImage

Values = NDArray[Any]

_MOST_BYTES_PER_PIXEL = 256
_MOST_SEGMENTS = 1 << 18
_LARGEST_TILE = 1 << 26  # bytes, where the image itself is smaller
_LARGEST_PICTURE = 1 << 22  # pixels, likewise
ALPHA = (1, 2)  # ExtraSamples (TIFF 6.0, section 18)
CMYK = 1  # InkSet (TIFF 6.0, section 16)
_UNKNOWN_COLOURS = {
    PHOTOMETRIC.CIELAB,
    PHOTOMETRIC.ICCLAB,
    PHOTOMETRIC.ITULAB,
    PHOTOMETRIC.LOGL,
    PHOTOMETRIC.LOGLUV,
}
_JPEG = {6, 7, 33007, 34892}
_JPEG_2000 = {33003, 33004, 33005, 34712}
_PNG = {34933}
_WEBP = {34927, 50001}
_PLAIN = {1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 34926, 50000, 50013}
"""None, CCITT, LZW, deflate, PackBits, LZMA, Zstandard: decoded into as much memory as the page says."""


def decoded(file: BinaryIO, max_bytes: int) -> Values:
    """(height, width, channels); raise UnreadableImage, or one of `headers.DAMAGE` where the file is damaged."""
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        _refuse_what_is_not_read(page)
        _refuse_bombs(page, max_bytes)
        if page.is_subsampled and page.compression not in _JPEG:
            return _decoded_by_opencv(file)
        for picture_size in _picture_sizes(page):
            _refuse_large_picture(page, *picture_size)
        values = _with_samples_last(page.asarray(), page.axes)
        return _in_its_colours(values, page)


def _refuse_what_is_not_read(page: Any) -> None:
    if page.compression not in _PLAIN | _JPEG | _JPEG_2000 | _PNG | _WEBP:
        name = getattr(page.compression, "name", page.compression)
        raise UnreadableImage(f"The TIFF is compressed in a way that is not read here ({name}).")
    if page.photometric in _UNKNOWN_COLOURS:
        raise UnreadableImage(f"The TIFF has colours that are not read here ({page.photometric.name}).")
    if page.dtype is None or page.dtype.kind not in "buif":
        raise UnreadableImage("The TIFF has values that are not read here: complex or of an odd size.")


def _refuse_bombs(page: Any, max_bytes: int) -> None:
    most = min(max_bytes, _MOST_BYTES_PER_PIXEL * page.imagewidth * page.imagelength)
    headers.refuse_bomb(page.nbytes, page.parent.filehandle.size, most)
    if len(page.dataoffsets) > _MOST_SEGMENTS:
        raise ValueError("in too many pieces")
    tile = page.tilewidth * page.tilelength * page.tiledepth * page.samplesperpixel * page.dtype.itemsize
    if tile > max(_LARGEST_TILE, 4 * page.nbytes):
        raise ValueError("tiles far larger than the image")


def _refuse_large_picture(page: Any, width: int, height: int) -> None:
    tile = page.tilewidth * page.tilelength
    if width * height > max(_LARGEST_PICTURE, page.imagewidth * page.imagelength, tile):
        raise ValueError("a part that is larger than the whole")


def _picture_sizes(page: Any) -> Iterator[tuple[int, int]]:
    """Width and height of each strip or tile, where these are pictures in a format of their own."""
    if page.compression in _PLAIN:
        return
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        page.parent.filehandle.seek(offset)
        yield from _sizes_in(page.parent.filehandle.read(count), page.compression)


def _sizes_in(picture: bytes, compression: int) -> list[tuple[int, int]]:
    if compression in _JPEG:
        return [headers.jpeg_size(BytesIO(picture))] if picture else []
    if compression in _PNG:
        return [struct.unpack(">II", picture[16:24])]
    if compression in _JPEG_2000:
        return _jpeg_2000_sizes(picture)
    return [_webp_size(picture)] if picture else []


def _jpeg_2000_sizes(picture: bytes) -> list[tuple[int, int]]:
    """From whatever may be the start of a code stream (ITU T.800, A.5.1), for boxes may stand before it."""
    sizes = []
    start = picture.find(b"\xff\x4f\xff\x51")
    while start >= 0:
        sizes.append(struct.unpack_from(">II", picture, start + 8))
        start = picture.find(b"\xff\x4f\xff\x51", start + 1)
    return sizes


def _webp_size(picture: bytes) -> tuple[int, int]:
    """From the first chunk (RFC 9649, 2.5 to 2.7)."""
    kind = picture[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(picture[24:27], "little"), 1 + int.from_bytes(picture[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(picture[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", picture[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _decoded_by_opencv(file: BinaryIO) -> Values:
    """Colours as YCbCr of which several pixels share one: tifffile does not read them."""
    file.seek(0)
    pixels = cv2.imdecode(
        np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if pixels is None:
        raise ValueError("OpenCV says no more")
    return pixels[:, :, ::-1]


def _with_samples_last(values: Values, axes: str) -> Values:
    """From an array whose axes are named as in tifffile: Y, X, S for samples; of any other the first."""
    values = values[tuple(slice(None) if axis in "YXS" else 0 for axis in axes)]
    kept = [axis for axis in axes if axis in "YXS"]
    return np.moveaxis(values, kept.index("S"), -1) if "S" in kept else values[:, :, None]


def _in_its_colours(values: Values, page: Any) -> Values:
    if page.photometric == PHOTOMETRIC.PALETTE:
        return _resolved(values[:, :, 0], page.colormap)
    values = _spread(values, page.bitspersample)
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        return _inverted(values, page.bitspersample)
    if page.photometric == PHOTOMETRIC.SEPARATED and page.tags.valueof(332, CMYK) == CMYK:
        return _rgb_of_cmyk(values)
    if page.photometric == PHOTOMETRIC.YCBCR and page.compression not in _JPEG | _JPEG_2000 | _PNG | _WEBP:
        return cv2.cvtColor(np.ascontiguousarray(values[:, :, [0, 2, 1]]), cv2.COLOR_YCrCb2RGB)
    return _without_alpha(values, page.extrasamples)


def _resolved(indexes: Values, palette: NDArray[np.uint16]) -> Values:
    """The palette has 16 bits a colour; some programs write 8 into them."""
    colours = (palette if palette.max() < 256 else palette >> 8).astype(np.uint8)
    return np.ascontiguousarray(colours.T)[indexes]


def _spread(values: Values, bits: int | tuple[int, ...]) -> Values:
    """Fewer than eight bits over the range of eight, as readers of PNG do."""
    if values.dtype == np.bool_:
        values, bits = values.astype(np.uint8), 1
    if isinstance(bits, int) and bits < 8:
        spread: Values = values.astype(np.uint16) * 255 // (2**bits - 1)
        return spread.astype(np.uint8)
    return values


def _inverted(values: Values, bits: int | tuple[int, ...]) -> Values:
    """White is 0 in the file; here larger is brighter, as everywhere else."""
    if values.dtype.kind == "f":
        return values
    if isinstance(bits, int) and 8 < bits < 16:
        inverted: Values = np.subtract(2**bits - 1, values, dtype=values.dtype)
    else:
        inverted = np.invert(values)
    return inverted


def _rgb_of_cmyk(values: Values) -> Values:
    """Without a profile: what is left of the light by ink and by black. As other readers do."""
    full = np.iinfo(values.dtype).max
    wide: Values = values.astype(np.uint32 if values.dtype.itemsize <= 2 else np.uint64)
    mixed: Values = ((full - wide[:, :, :3]) * (full - wide[:, :, 3:4]) + full // 2) // full
    return mixed.astype(values.dtype)


def _without_alpha(values: Values, extra_samples: tuple[int, ...]) -> Values:
    if not any(kind in ALPHA for kind in extra_samples):
        return values
    first = values.shape[2] - len(extra_samples)
    kept = [*range(first), *(first + i for i, kind in enumerate(extra_samples) if kind not in ALPHA)]
    return values[:, :, kept or [0]]
