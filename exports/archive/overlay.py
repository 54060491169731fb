"""Pictures of the objects drawn on their image.

Objects are filled in the external colour, holes left free and outlined in the internal one. Numbers stand at
a point inside the largest part, in the font size that was asked for, or as much smaller as the part needs, but
no smaller than 10 pixels; beside a hole they keep to the room that is left. In an image wider or higher than
2,048 pixels outlines and numbers grow with it, as far as its objects allow, to be seen when all of it is. Images of more than eight
bits are stretched from their 0.35 to their 99.65 percentile, images of low contrast over all grey levels; of a
stack the first page is shown. Pictures have the size of their image.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import shapely
from isal import isal_zlib
from numpy.typing import NDArray

from exports.archive.dataset import Dataset, Image, Objects, Points, Style
from exports.archive.part import Some
from exports.archive.zipping import Entry
from imagefiles.headers import UnreadableImage

Canvas = NDArray[np.uint8]
Sprite = NDArray[np.uint16]
Checkpoint = Callable[[], None]

_SUBPIXEL_BITS = 4
_FARTHEST = 1 << 20
_BAND = 256
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PLAIN_SIDE = 2048  # pixels; in a larger image lines and numbers grow
_STROKE_SHARE = 1 / 16  # of an object's smaller side that a line may grow to
_LABEL_HEIGHT, _LABEL_WIDTH = 0.6, 0.65  # shares of its object's box that a number may take
_DIGIT_WIDTH = 0.7  # of the font size
_SMALLEST_FONT, _LARGEST_FONT, _LARGEST_KEPT_FONT = 10, 256, 100
_JPEG_QUALITY = 90
_JPEG_LONGEST = 65_500


def _go_on() -> None:
    """The checkpoint of those who have none."""


class Overlays:
    """Writes `visualizations/<stem>_overlay.png` or `.jpg`, one an image."""

    def __init__(self, dataset: Dataset) -> None:
        self._style = dataset.style
        self._checkpoint = dataset.checkpoint

    def add(self, image: Image) -> Iterator[Entry]:
        """Raise UnreadableImage when the original cannot be decoded."""
        yield Entry(path_of(image, self._style), render(image, self._style, self._checkpoint))

    def finish(self) -> Iterator[Entry]:
        return iter(())


def path_of(image: Image, style: Style) -> str:
    return f"visualizations/{image.stem}_overlay.{_ending(style)}"


def render(image: Image, style: Style, checkpoint: Checkpoint = _go_on) -> bytes:
    """The encoded picture, in the size of the image. Raise UnreadableImage.

    `checkpoint` is called between the steps of a picture, of which the largest takes minutes.
    """
    canvas = image.pixels.copy()
    checkpoint()
    draw(canvas, image.objects, style, checkpoint)
    return encode_png(canvas, checkpoint) if _ending(style) == "png" else _encode_jpeg(canvas)


def draw(canvas: Canvas, objects: Objects, style: Style, checkpoint: Checkpoint = _go_on) -> None:
    """Draw on (height, width, 3) BGR in place; its rows must be contiguous."""
    if len(objects):
        draw_some(canvas, Some.all(objects), style, pen_of(max(canvas.shape), objects, style), checkpoint)


@dataclass(frozen=True)
class Pen:
    """What all of an image decides, also for a part of it. Pixels."""

    stroke_width: int
    font_size: int


def pen_of(longest_side: int, objects: Objects, style: Style) -> Pen:
    """Of an image with objects."""
    growth = max(1.0, longest_side / _PLAIN_SIDE)
    font_size = min(round(style.font_size * growth), _LARGEST_FONT)
    return Pen(_stroke_width(objects, style, growth), font_size)


def draw_some(canvas: Canvas, some: Some, style: Style, pen: Pen, checkpoint: Checkpoint = _go_on) -> None:
    """As `draw` does it with all, on a canvas that is a part of the image."""
    objects = some.objects
    rings = _fixed_point_rings(some)
    _fill(canvas, objects, rings, style, checkpoint)
    holes = [ring for ring, is_hole in zip(rings, objects.ring_is_hole, strict=True) if is_hole]
    outer = [ring for ring, is_hole in zip(rings, objects.ring_is_hole, strict=True) if not is_hole]
    for outlines, colour in ((outer, style.external_color), (holes, style.internal_color)):
        cv2.polylines(canvas, outlines, True, _bgr(colour), pen.stroke_width, cv2.LINE_AA, _SUBPIXEL_BITS)
        checkpoint()
    if style.show_numbers:
        _number(canvas, some, pen.font_size)


def _stroke_width(objects: Objects, style: Style, growth: float) -> int:
    """Grown with the image, but not so far that it hides objects of the usual size."""
    starts = objects.ring_starts[:-1]
    sides = np.maximum.reduceat(objects.points, starts) - np.minimum.reduceat(objects.points, starts)
    usual = float(np.median(sides.min(axis=1)[~objects.ring_is_hole]))
    return round(min(style.stroke_width * growth, max(style.stroke_width, usual * _STROKE_SHARE)))


def encode_png(pixels: Canvas, checkpoint: Checkpoint = _go_on) -> bytes:
    """(height, width, 3) BGR as PNG (ISO/IEC 15948), each row as its difference to the one above.

    OpenCV needs 31 to 75 ms for 1024 x 1024 pixels, whatever its level and strategy; this takes 9 for files
    as small as its best.
    """
    height, width = pixels.shape[:2]
    packer = isal_zlib.compressobj(1)
    packed = []
    for top in range(0, height, _BAND):
        packed.append(packer.compress(_filtered(pixels, top).tobytes()))
        checkpoint()
    header = struct.pack(">2L5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join([*packed, packer.flush()])), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, content) for kind, content in chunks)


def _encode_jpeg(pixels: Canvas) -> bytes:
    if max(pixels.shape) > _JPEG_LONGEST:
        raise UnreadableImage(f"JPEG holds no picture wider or higher than {_JPEG_LONGEST:,} pixels.")
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _filtered(pixels: Canvas, top: int) -> Canvas:
    """The rows from `top` on, a band of them, each with its filter in front: 2, "up"."""
    above = pixels[max(top - 1, 0) : top + _BAND]
    rgb = cv2.cvtColor(above, cv2.COLOR_BGR2RGB).reshape(len(above), -1)
    if top == 0:
        rgb = np.vstack([np.zeros_like(rgb[:1]), rgb])
    band = np.full((len(rgb) - 1, rgb.shape[1] + 1), 2, np.uint8)
    np.subtract(rgb[1:], rgb[:-1], out=band[:, 1:])
    return band


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    crc = isal_zlib.crc32(content, isal_zlib.crc32(kind))
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", crc)


def _fixed_point_rings(some: Some) -> list[NDArray[np.int32]]:
    """Each ring with `_SUBPIXEL_BITS` bits behind the point, from the first pixel's centre as OpenCV counts."""
    points = some.objects.points - (some.corner + 0.5)
    points = np.clip(points, -_FARTHEST, _FARTHEST) * (1 << _SUBPIXEL_BITS)
    return np.split(np.rint(points).astype(np.int32), some.objects.ring_starts[1:-1])


def _fill(
    canvas: Canvas, objects: Objects, rings: list[NDArray[np.int32]], style: Style, checkpoint: Checkpoint
) -> None:
    """Blend the colour over the objects. Object by object: in one call overlapping ones would cancel out."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    for first, last in zip(objects.object_rings, objects.object_rings[1:], strict=False):
        cv2.fillPoly(mask, rings[first:last], 255, cv2.LINE_8, _SUBPIXEL_BITS)
    table = _blending(style.external_color, style.opacity)
    for top in range(0, len(canvas), _BAND):
        checkpoint()
        band = canvas[top : top + _BAND]
        cv2.copyTo(cv2.LUT(band, table), mask[top : top + _BAND], band)


def _blending(colour: str, opacity: float) -> Canvas:
    """(256, 1, 3): what each value of each channel becomes under the colour."""
    values = np.arange(256)[:, None, None] * (1 - opacity) + np.array(_bgr(colour)) * opacity
    table: Canvas = np.rint(values).astype(np.uint8)
    return table


def _number(canvas: Canvas, some: Some, font_size: int) -> None:
    places = _label_places(some.objects)
    places[:, :2] -= some.corner
    places = np.clip(places, -_FARTHEST, _FARTHEST)
    for number, (x, y, width, height) in zip(some.numbers.tolist(), places.tolist(), strict=True):
        if 0 <= x < canvas.shape[1] and 0 <= y < canvas.shape[0]:  # NaN is not
            text = str(number)
            _write(canvas, text, int(x), int(y), _fitting(text, width, height, font_size))


def _fitting(text: str, width: float, height: float, font_size: int) -> int:
    """The font size in which the number leaves its object to be seen; even, so that few sizes are drawn."""
    largest = min(height * _LABEL_HEIGHT, width * _LABEL_WIDTH / (_DIGIT_WIDTH * len(text)))
    return min(font_size, max(_SMALLEST_FONT, 2 * round(largest / 2)))


def _label_places(objects: Objects) -> Points:
    """(N, 4): a point inside the largest part of each object, and the width and height of the room around it.

    That room is the part's box, or, where the part has a hole, what lies between this and the outline. NaN for none.
    """
    part_of_ring = np.cumsum(~objects.ring_is_hole) - 1
    point_rings = np.repeat(np.arange(len(objects.ring_parts)), np.diff(objects.ring_starts))
    parts = shapely.polygons(shapely.linearrings(objects.points, indices=point_rings), indices=part_of_ring)
    part_objects = objects.ring_objects[~objects.ring_is_hole]
    by_size = np.lexsort((-shapely.area(parts), part_objects))
    largest = by_size[np.searchsorted(part_objects[by_size], np.arange(len(objects)))]
    parts = parts[largest]
    inside, bounds = shapely.point_on_surface(parts), shapely.bounds(parts)
    room = bounds[:, 2:] - bounds[:, :2]
    holed = shapely.get_num_interior_rings(parts) > 0
    between = 2 * shapely.distance(inside[holed], shapely.boundary(parts[holed]))
    room[holed] = np.minimum(room[holed], between[:, None])
    return np.column_stack([shapely.get_x(inside), shapely.get_y(inside), room])


def _write(canvas: Canvas, text: str, x: int, y: int, font_size: int) -> None:
    """White digits with a black rim, centred at (x, y), or as near to it as the edges allow."""
    keep, ink = (_kept_label if font_size <= _LARGEST_KEPT_FONT else _label)(text, font_size)
    height, width = keep.shape[0], keep.shape[1] // 3
    top = min(max(y - height // 2, 0), canvas.shape[0] - height)
    left = min(max(x - width // 2, 0), canvas.shape[1] - width)
    # Rows of single values: over a last axis of three numpy is six times slower.
    rows = canvas.reshape(len(canvas), -1)
    patch = rows[max(top, 0) : max(top + height, 0), 3 * max(left, 0) : 3 * max(left + width, 0)]
    down, right = max(-top, 0), 3 * max(-left, 0)
    part = np.s_[down : down + patch.shape[0], right : right + patch.shape[1]]
    patch[:] = (patch * keep[part] + ink[part]) >> 8


def _label(text: str, font_size: int) -> tuple[Sprite, Sprite]:
    """How much of the picture stays (0..256) and what is added (times 256), (h, 3 * w) each."""
    glyphs = [_glyph(digit, font_size) for digit in text]
    overlap = 2 * _rim(font_size)
    width = sum(rimmed.shape[1] - overlap for rimmed, _ in glyphs) + overlap
    covered, plain = np.zeros((2, len(glyphs[0][0]), width), np.uint16)
    left = 0
    for glyph in glyphs:
        for layer, coverage in zip((covered, plain), glyph, strict=True):
            place = layer[:, left : left + coverage.shape[1]]
            np.maximum(place, coverage, out=place)
        left += glyph[0].shape[1] - overlap
    keep = 256 - covered - covered // 255
    return np.repeat(keep, 3, axis=1), np.repeat(plain * 256, 3, axis=1)


# The same numbers come again in every image, in a few sizes; the bound keeps the largest font's below 200 MB.
_kept_label = lru_cache(maxsize=600)(_label)


@lru_cache(maxsize=100)
def _glyph(digit: str, font_size: int) -> tuple[Canvas, Canvas]:
    """The coverage of a digit with its rim and without, (h, w) each, 0..255."""
    thickness, rim = max(1, font_size // 12), _rim(font_size)
    scale = cv2.getFontScaleFromHeight(_FONT, font_size, thickness)
    (width, height), _ = cv2.getTextSize(digit, _FONT, scale, thickness)
    # OpenCV's digits reach two pixels below their baseline, and half their thickness above their height.
    rimmed, plain = np.zeros((2, height + 2 * rim + thickness // 2 + 2, width + 2 * rim), np.uint8)
    origin = (rim, height + rim)
    cv2.putText(rimmed, digit, origin, _FONT, scale, 255, thickness + 2 * rim, cv2.LINE_AA)
    cv2.putText(plain, digit, origin, _FONT, scale, 255, thickness, cv2.LINE_AA)
    return np.maximum(rimmed, plain), plain


def _rim(font_size: int) -> int:
    return max(1, font_size // 16)


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return blue, green, red


def _ending(style: Style) -> str:
    return "jpg" if style.image_format in ("jpg", "jpeg") else "png"
