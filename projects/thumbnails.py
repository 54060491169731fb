"""Pictures of stored images that a browser can show: small ones, and whole ones.

Made when first asked for and kept as files named by the image's id; an image's file never changes.
A damaged image becomes a drawing that says so.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.conf import settings

from imagefiles.headers import UnreadableImage
from projects.models import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

THUMBNAIL_SIDE = 480
WHOLE_SIDE = 4096
MAX_BYTES = 1 << 29  # of decoded values, in the web process
MAX_BYTES_AS_STORED = 16 << 20

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_PNG_BIT_DEPTH = 24  # offset in the IHDR chunk (PNG specification, 11.2.1)
# A browser turns pictures as their EXIF says and plays animations; outlines lie on the pixels as they are stored.
_TURNED_OR_MOVING, _MARKS_WITHIN = (b"Exif\0\0", b"eXIf", b"acTL"), 1 << 16

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
    if any(mark in content[:_MARKS_WITHIN] for mark in _TURNED_OR_MOVING):
        return None
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
    except UnreadableImage:
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
    # Heavy, and nobody who only looks at pages needs it.
    import cv2

    pixels = _decoded(image)
    try:
        is_encoded, content = cv2.imencode(extension, _fitted(pixels, longest_side))
    except (MemoryError, cv2.error) as error:
        raise UnreadableImage("The picture cannot be made.") from error
    if not is_encoded:
        raise UnreadableImage("The picture cannot be made.")
    return content.tobytes()


def _decoded(image: Image) -> Pixels:
    """(height, width, 3) uint8 BGR."""
    from imagefiles.display import for_display

    return for_display(Path(image.file.path), width=image.width, height=image.height, max_bytes=MAX_BYTES)


def _fitted(pixels: Pixels, longest_side: int) -> Pixels:
    """Shrunk in proportion, never enlarged."""
    import cv2

    height, width = pixels.shape[:2]
    factor = longest_side / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
