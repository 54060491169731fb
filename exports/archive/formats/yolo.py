"""YOLO segmentation, as Ultralytics and supervision read it.

Each image has a file of text with a line an object, `class x y x y …`, in stored order; that of an image without
objects is empty. `class` counts from 0 in the sorted list of classes, which is `names` in `data.yaml` and the lines of
`classes.txt`. Coordinates are shares of the image's width and height, from 0 to 1, with six decimals; (0, 0) is the
top-left corner of the first pixel. Programs that draw such outlines with OpenCV get objects half a pixel larger on
each side.

A line is one ring. Holes are filled. An outline is cut off at the image's edge and keeps its shape inside. Several
parts are joined by the shortest bridges, which have no width but are drawn as lines by some programs; parts that
overlap become the area that they cover. An object has no line when none of its area lies within the image, or when it
is thinner than six decimals can tell: lines after it are then one short of their `object_id`.

Ultralytics looks for an image's labels by putting `labels` for the last `images` in its path: copy the images into
`annotations/yolo/images/`, where `data.yaml` expects them, and train with `data=annotations/yolo/data.yaml`. It has
no `path`, which Ultralytics would take from the folder that it runs in. `train` and `val` are all images: divide
them before you believe a validation. Of two equal lines Ultralytics drops one; some of its versions do so with
different outlines of the same class and bounding box.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from exports.archive.dataset import Dataset, Image, Indexes, Points
from exports.archive.geometry import areas, bounds, perimeters
from exports.archive.repair import covered
from exports.archive.single_ring import single_ring
from exports.archive.zipping import Entry, Spool

AT_ONCE = 100

_FOLDER = "annotations/yolo"
_ONE = 1_000_000
_POINT_LENGTH = len(" 0.123456 0.123456")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML 1.1 wants escaped, or takes for the end of a line."""

_HEAD = """\
# YOLO segmentation: labels/<stem>.txt has a line an object, class x y x y ..., from 0 to 1.
# Put the images into images/, beside labels/. Both sets are all images: divide them as you like.
train: images
val: images
"""


class Yolo:
    def __init__(self, dataset: Dataset) -> None:
        self.lost: Counter[str] = Counter()
        """`absent`: objects without a line."""
        self.objects = 0
        self._workspace, self._checkpoint = dataset.workspace, dataset.checkpoint
        self._class_names = dataset.class_names

    def add(self, image: Image) -> Iterator[Entry]:
        spool, outlines = Spool(self._workspace), self._outlines(image)
        for first in range(0, len(image.objects), AT_ONCE):
            self._checkpoint()
            classes = image.objects.classes[first : first + AT_ONCE].tolist()
            rings = [(class_index, next(outlines)) for class_index in classes]
            lines = _lines(rings, (image.width, image.height))
            self.lost["absent"] += len(classes) - len(lines)
            self.objects += len(lines)
            spool.write(b"".join(lines))
        yield Entry(f"{_FOLDER}/labels/{image.stem}.txt", spool)

    def finish(self) -> Iterator[Entry]:
        yield Entry(f"{_FOLDER}/data.yaml", _description(self._class_names))
        names = (_UNPRINTABLE.sub(" ", name) for name in self._class_names)
        yield Entry(f"{_FOLDER}/classes.txt", "".join(f"{name}\n" for name in names).encode())

    def _outlines(self, image: Image) -> Iterator[Points]:
        """One ring an object, in stored order."""
        objects, size = image.objects, (image.width, image.height)
        boxes = bounds(objects.points, objects.ring_starts[objects.object_rings])
        is_inside = (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, 2:] <= size).all(axis=1)
        parts = np.bincount(objects.ring_objects[~objects.ring_is_hole], minlength=len(objects))
        is_plain = (is_inside & (parts == 1)).tolist()
        for index, first_ring in enumerate(objects.object_rings[:-1].tolist()):
            if is_plain[index]:
                yield objects.ring(first_ring)
            else:
                yield single_ring([outer for outer, *_ in objects.parts(index)], size, self._checkpoint)


def _lines(rings: list[tuple[int, Points]], size: tuple[int, int]) -> list[bytes]:
    """The lines of those that have an area in an image of `size` (width, height)."""
    rings = [(class_index, ring) for class_index, ring in rings if len(ring)]
    if not rings:
        return []
    starts = np.cumsum([0, *(len(ring) for _, ring in rings)])
    shares = np.vstack([ring for _, ring in rings]) / size
    millionths = np.rint(shares * _ONE).clip(0, _ONE).astype(np.int32)
    text, ends = _decimals(millionths), (starts * _POINT_LENGTH).tolist()
    rows = zip(rings, ends, ends[1:], _have_area(millionths, starts), strict=False)
    return [b"%d%b\n" % (row[0], text[start:end]) for row, start, end, has_area in rows if has_area]


def _have_area(points: NDArray[np.int32], starts: Indexes) -> list[bool]:
    """(R,): false for points, lines and what only rounding made wider than a line; some readers refuse these."""
    corners = points.astype(np.float64)
    at_most = perimeters(corners, starts)  # that rounding by half a unit adds
    have: list[bool] = (areas(corners, starts) > at_most).tolist()
    for index, is_sure in enumerate(have):
        if not is_sure:  # its halves may turn against each other
            ring = corners[starts[index] : starts[index + 1]]
            have[index] = bool(covered(shapely.Polygon(ring)).area > at_most[index])
    return have


def _decimals(millionths: NDArray[np.int32]) -> bytes:
    """Each number as a blank and `0.123456`, one after the other; 0 to 1,000,000."""
    rest = millionths.reshape(-1)
    text = np.tile(np.frombuffer(b" 0.000000", np.uint8), (len(rest), 1))
    for place in (8, 7, 6, 5, 4, 3, 1):
        rest, digits = np.divmod(rest, 10)
        text[:, place] += digits.astype(np.uint8)
    return text.tobytes()


def _description(class_names: tuple[str, ...]) -> bytes:
    names = "".join(f"\n  {index}: {_quoted(name)}" for index, name in enumerate(class_names))
    return f"{_HEAD}nc: {len(class_names)}\nnames:{names or ' {}'}\n".encode()


def _quoted(text: str) -> str:
    """In quotation marks, as YAML reads it: as JSON does, but for letters that YAML takes for something else."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
