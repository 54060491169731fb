"""The values of a stored image, as its file holds them.

PNG, JPEG and BMP are read by OpenCV, TIFF by tifffile (its first page). The orientation that a camera notes in EXIF
and colour profiles are ignored: objects were outlined on the pixels as they are stored. Nothing larger than the
header says is decoded, and nothing above MAX_BYTES.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imagefiles import headers, tiff
from imagefiles.headers import DAMAGE, Header, UnreadableImage, refuse_bomb

Values = NDArray[Any]

MAX_BYTES = 1 << 32
"""Of decoded values: an image of MAX_PIXELS with four bytes a pixel."""

_MOST_SCANS, _MOST_SCANNED_PIXELS = 100, 1 << 33
_PNG_BIT_DEPTH, _PNG_COLOUR_TYPE = 24, 25  # offsets in the file (ISO/IEC 15948, 11.2.2)
_PNG_AROUND_CHUNK = 12  # bytes: length, kind, checksum
_PNG_GREY = (0, 4)


def original_values(path: Path, *, width: int, height: int, max_bytes: int = MAX_BYTES) -> Values:
    """(height, width, channels) in the file's own type: grey is one channel, colour three (red, green, blue).

    Of a TIFF that holds other channels, all of them in its order. Palettes are resolved to their colours and CMYK to
    red, green and blue, 8 bits each; transparency is dropped; a file of one bit has 0 and 255.
    Raise UnreadableImage, also when the size is not the one given.
    """
    header = headers.read_stored(path)
    if (header.width, header.height) != (width, height):
        raise UnreadableImage("The image is not as large as the project says.")
    values = _decoded(path, header, max_bytes)
    if values.shape[:2] != (height, width):
        raise UnreadableImage("The image is not as large as its header says.")
    return values


def _decoded(path: Path, header: Header, max_bytes: int) -> Values:
    try:
        with path.open("rb") as file:
            if header.ending == ".tif":
                return tiff.decoded(file, max_bytes)
            return _decoded_by_opencv(file.read(max_bytes), header, max_bytes)
    except UnreadableImage:
        raise
    except MemoryError as error:
        raise UnreadableImage("The image takes more memory than there is.") from error
    except (*DAMAGE, cv2.error) as error:
        raise UnreadableImage("The image file is damaged.") from error


def _decoded_by_opencv(content: bytes, header: Header, max_bytes: int) -> Values:
    scans = content.count(b"\xff\xda") if header.ending == ".jpg" else 1
    refuse_bomb(_bytes_needed(content, header, scans), len(content), max_bytes)
    _refuse_endless_jpeg(scans, header)
    if header.ending == ".png":
        content = _without_animation(content)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("OpenCV says no more")
    if pixels.ndim == 2:
        return pixels[:, :, None]
    if header.ending == ".png" and content[_PNG_COLOUR_TYPE] in _PNG_GREY:
        return pixels[:, :, :1]
    return pixels[:, :, 2::-1]


def _bytes_needed(content: bytes, header: Header, scans: int) -> int:
    """With four channels; a JPEG of several scans is kept as coefficients as well."""
    each = 2 if header.ending == ".png" and content[_PNG_BIT_DEPTH] == 16 else 1
    return header.width * header.height * (4 * each + (6 if scans > 1 else 0))


def _refuse_endless_jpeg(scans: int, header: Header) -> None:
    """Each scan of a progressive JPEG passes over the whole picture; encoders write about ten."""
    if scans > _MOST_SCANS or scans * header.width * header.height > _MOST_SCANNED_PIXELS:
        raise ValueError("more scans than a picture needs")


def _without_animation(content: bytes) -> bytes:
    """The PNG as readers see it that know no animation: with the picture that is meant for them.

    Raise ValueError when a chunk is longer than what is left of the file: OpenCV takes its memory first.
    """
    place = len(b"\x89PNG\r\n\x1a\n")
    while place + _PNG_AROUND_CHUNK <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + length + _PNG_AROUND_CHUNK
        if end > len(content):
            raise ValueError("a chunk is cut short")
        if kind == b"acTL":
            content, end = content[:place] + content[end:], place
        place = end
    return content
