"""Pictures of stored images that a browser can show: small ones, and whole ones.

Made when first asked for and kept as files named by the image's id; an image's file never changes.
A damaged image becomes a drawing that says so.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings

from projects.models import Image

THUMBNAIL_SIDE = 480
WHOLE_SIDE = 4096
MAX_PIXELS = 1 << 27  # decoding takes several bytes a pixel in the web process
MAX_BYTES_AS_STORED = 16 << 20

_PERCENTILES = (0.35, 99.65)
_SAMPLE = 1 << 20
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_BIT_DEPTH = 24  # offset in the IHDR chunk (PNG specification, 11.2.1)

_PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240">'
    b'<rect width="320" height="240" fill="#e4e9e6"/>'
    b'<g fill="none" stroke="#5c6b66" stroke-width="3" stroke-linejoin="round">'
    b'<path d="M112 70h96v76h-96z"/><path d="m112 132 28-26 18 16 22-24 28 30"/><path d="m100 158 120-100"/></g>'
    b'<text x="160" y="186" text-anchor="middle" font-family="sans-serif" font-size="15" fill="#3d4a46">'
    b"Cannot be shown</text></svg>"
)


@dataclass(frozen=True)
class Picture:
    content: bytes
    content_type: str
    is_the_image: bool = True


class _Damaged(Exception):
    """What is stored cannot be decoded."""


NOT_SHOWN = Picture(_PLACEHOLDER, "image/svg+xml", is_the_image=False)


def thumbnail(image: Image) -> Picture:
    """A JPEG that fits into a square of THUMBNAIL_SIDE."""
    return _kept(f"{image.pk}.jpg", lambda: _encoded(image, THUMBNAIL_SIDE, ".jpg"))


def for_browser(image: Image) -> Picture:
    """As stored where a browser shows that rightly; otherwise an 8-bit PNG of at most WHOLE_SIDE."""
    stored = _as_stored(image)
    return stored or _kept(f"{image.pk}.png", lambda: _encoded(image, WHOLE_SIDE, ".png"))


def _as_stored(image: Image) -> Picture | None:
    if image.size > MAX_BYTES_AS_STORED:
        return None
    try:
        content = Path(image.file.path).read_bytes()
    except OSError:
        return NOT_SHOWN
    if content.startswith(_JPEG):
        return Picture(content, "image/jpeg")
    has_eight_bits = len(content) > _PNG_BIT_DEPTH and content[_PNG_BIT_DEPTH] <= 8
    return Picture(content, "image/png") if content.startswith(_PNG) and has_eight_bits else None


def _kept(name: str, make: Callable[[], bytes]) -> Picture:
    path = settings.MEDIA_ROOT / "thumbnails" / name
    content_type = "image/jpeg" if name.endswith(".jpg") else "image/png"
    try:
        return Picture(path.read_bytes(), content_type)
    except FileNotFoundError:
        pass
    try:
        content = make()
    except _Damaged:
        return NOT_SHOWN
    _keep(path, content)
    return Picture(content, content_type)


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all: two requests may make the same picture at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as unfinished:
        unfinished.write(content)
    os.replace(unfinished.name, path)


def _encoded(image: Image, longest_side: int, extension: str) -> bytes:
    import cv2

    try:
        pixels = _in_eight_bits(_fitted(_decoded(image), longest_side))
        is_encoded, content = cv2.imencode(extension, pixels)
    except _damage() as error:
        raise _Damaged from error
    if not is_encoded:
        raise _Damaged
    return content.tobytes()


def _decoded(image: Image) -> Any:
    """(h, w) or (h, w, 3) in the order blue, green, red."""
    import cv2
    import numpy as np

    if image.width * image.height > MAX_PIXELS:
        raise _Damaged
    content = Path(image.file.path).read_bytes()
    if content.startswith(_TIFF):
        return _decoded_tiff(content)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    if pixels is None:
        raise _Damaged
    return pixels


def _decoded_tiff(content: bytes) -> Any:
    """The first plane of a stack."""
    import numpy as np
    import tifffile

    with tifffile.TiffFile(BytesIO(content)) as tiff:
        page = tiff.pages.first
        if page.imagewidth * page.imagelength > MAX_PIXELS:
            raise _Damaged
        pixels, axes = page.asarray(), page.axes
    pixels = pixels[tuple(slice(None) if axis in "YXS" else 0 for axis in axes)]
    if pixels.ndim == 2:
        return pixels
    pixels = np.moveaxis(pixels, "".join(axis for axis in axes if axis in "YXS").index("S"), -1)
    return pixels[:, :, 2::-1] if pixels.shape[2] >= 3 else pixels[:, :, 0]


def _fitted(pixels: Any, longest_side: int) -> Any:
    """Shrunk in proportion, never enlarged."""
    import cv2

    height, width = pixels.shape[:2]
    factor = longest_side / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _in_eight_bits(pixels: Any) -> Any:
    """More than eight bits are stretched from the 0.35 to the 99.65 percentile."""
    import numpy as np

    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    values = np.nan_to_num(pixels.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(values.reshape(-1)[:: max(1, values.size // _SAMPLE)], _PERCENTILES)
    if high <= low:
        low, high = values.min(), values.max()
    stretched = (values - low) * (255 / max(high - low, 1e-12))
    return np.clip(np.rint(stretched), 0, 255).astype(np.uint8)


def _damage() -> tuple[type[Exception], ...]:
    """What decoders raise for damaged files; tifffile promises nothing narrower."""
    import cv2

    broken = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError)
    return (*broken, TypeError, ValueError, cv2.error, struct.error, zlib.error, _Damaged)
