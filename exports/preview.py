"""A part of one image as its overlay will look at full size: decoded and drawn by the code that exports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404

from exports import snapshot
from exports.archive.dataset import DamagedObjects, Objects, Style
from exports.archive.part import Part, fullest, within
from exports.exceptions import Busy, ImageTooLarge, ImageUnreadable, NothingToExport
from exports.options import VisualizationOptions
from imagefiles.headers import UnreadableImage
from projects.models import Image, Project
from projects.outlines import DamagedOutlines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 480, 360
MOST_PIXELS = 32_000_000
MOST_BYTES = 1 << 28  # of decoded values
_JPEG_QUALITY = 92
_REACH = 512  # pixels that a number or line may come from
_PATIENCE = 10  # seconds
# Decoding and drawing 32 megapixels take 400 MB: one picture at a time in a process.
_place = BoundedSemaphore(1)


@dataclass(frozen=True)
class Preview:
    part: Part
    content: bytes
    """JPEG."""


def image_for(project: Project, image_id: UUID | None) -> Image:
    """Without an id the first image that has objects, or else the first.

    Raise Http404, or NothingToExport for a project without images.
    """
    images = (
        Image.objects.present().filter(project=project).select_related("segmentation").order_by("name", "pk")
    )
    if image_id is not None:
        return get_object_or_404(images, pk=image_id)
    found = images.filter(segmentation__object_count__gt=0).first() or images.first()
    if found is None:
        raise NothingToExport
    return found


def etag_of(image: Image, options: VisualizationOptions) -> str:
    """Files and segmentations never change: image, segmentation and choices say all."""
    said = [settings.VERSION, str(image.pk), str(image.segmentation_id), options.model_dump(mode="json")]
    return f'"{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]}"'


def draw(image: Image, options: VisualizationOptions) -> Preview:
    """Raise ImageTooLarge, ImageUnreadable, or Busy."""
    if image.width * image.height > MOST_PIXELS:
        raise ImageTooLarge
    with _one_at_a_time(), _readable():
        objects = _objects(image)
        part = fullest(objects, (image.width, image.height), (WIDTH, HEIGHT))
        return Preview(part, _encoded(_drawn(image, objects, part, snapshot.style_of(options))))


def _objects(image: Image) -> Objects:
    if image.segmentation is None:
        return Objects.none()
    outlines = image.segmentation.outlines
    return snapshot.objects_of(outlines, outlines.class_names)


def _drawn(image: Image, objects: Objects, part: Part, style: Style) -> Pixels:
    """Drawn with what lies around the part: lines and numbers of there reach into it."""
    # Heavy, and nobody who only looks at pages needs it.
    from exports.archive import overlay

    wide = part.widened(_REACH, image.width, image.height)
    canvas = _decoded(Path(image.file.path), image.width, image.height, wide).copy()
    near = within(objects, wide)
    if len(near.objects):
        pen = overlay.pen_of(max(image.width, image.height), objects, style)
        overlay.draw_some(canvas, near, style, pen)
    top, left = part.top - wide.top, part.left - wide.left
    return canvas[top : top + part.height, left : left + part.width]


# Whoever tries out colours asks for the same part again and again; each takes 6 MB.
@lru_cache(maxsize=8)
def _decoded(path: Path, width: int, height: int, part: Part) -> Pixels:
    from imagefiles.display import for_display

    pixels = for_display(path, width=width, height=height, max_bytes=MOST_BYTES)
    return pixels[part.top : part.top + part.height, part.left : part.left + part.width].copy()


def _encoded(pixels: Pixels) -> bytes:
    import cv2

    # Without 4:4:4 thin lines in colour lose theirs.
    finest = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY, *finest])[1])


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _place.acquire(timeout=_PATIENCE):
        raise Busy
    try:
        yield
    finally:
        _place.release()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (UnreadableImage, DamagedObjects, DamagedOutlines, MemoryError) as error:
        raise ImageUnreadable from error
