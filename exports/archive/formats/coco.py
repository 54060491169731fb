"""COCO instances, as pycocotools, Detectron2, MMDetection, FiftyOne and CVAT read them.

`annotations/coco/annotations.json`. Coordinates are pixels from the top-left corner of the first pixel, which
is COCO's own convention. `file_name` is the name within `images/`; `bbox` is `[x, y, width, height]` and
`area` the area in square pixels without holes, both of the exact outline. `iscrowd` is always 0.

An object without holes is a list of polygons, one for each part. An object with holes is an uncompressed run
length code, because COCO takes several polygons for their union: it is rounded to whole pixels and cut off at
the image's edge. `attributes` holds `object_id` (the number in every other file) and `score` (null where
there is none). Category ids are the positions in the sorted list of classes, from 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from exports.archive.dataset import Dataset, Image, Objects, Points
from exports.archive.geometry import areas, bounds
from exports.archive.zipping import Entry, Spool


class Coco:
    """Annotations go straight into the file; the few bytes an image needs are kept aside and follow them."""

    def __init__(self, dataset: Dataset) -> None:
        self._spool = Spool(dataset.workspace)
        self._spool.write(orjson.dumps(_head(dataset))[:-1] + b',"annotations":[')
        self._images = TemporaryFile(dir=dataset.workspace)  # noqa: SIM115 - lives as long as the writer
        self.objects = 0

    def add(self, image: Image) -> Iterator[Entry]:
        annotations = _annotations(image, first_id=self.objects + 1)
        if annotations:
            text = orjson.dumps(annotations, option=orjson.OPT_SERIALIZE_NUMPY)
            self._spool.write(self._separator(self.objects) + text[1:-1])
        self._images.write(self._separator(self._images.tell()) + orjson.dumps(_image(image)))
        self.objects += len(annotations)
        return iter(())

    def finish(self) -> Iterator[Entry]:
        self._spool.write(b'\n],"images":[')
        self._images.seek(0)
        shutil.copyfileobj(self._images, self._spool)
        self._images.close()
        self._spool.write(b"\n]}\n")
        yield Entry("annotations/coco/annotations.json", self._spool)

    @staticmethod
    def _separator(written_before: int) -> bytes:
        return b",\n" if written_before else b"\n"


def _head(dataset: Dataset) -> dict[str, Any]:
    names = enumerate(dataset.class_names, start=1)
    return {
        "info": {"description": dataset.project_name, "date_created": dataset.changed_at.isoformat()},
        "licenses": [],
        "categories": [{"id": number, "name": name, "supercategory": ""} for number, name in names],
    }


def _image(image: Image) -> dict[str, Any]:
    return {
        "id": image.number,
        "file_name": image.name,
        "width": image.width,
        "height": image.height,
        "image_id": image.image_id,
        "original_name": image.original_name,
        "pixel_size": image.pixel_size,
    }


def _annotations(image: Image, first_id: int) -> list[dict[str, Any]]:
    objects = image.objects
    columns = (objects.classes.tolist(), objects.scores.tolist(), _segmentations(image))
    rows = zip(*columns, _areas(objects), _boxes(objects), strict=True)
    return [
        {
            "id": first_id + index,
            "image_id": image.number,
            "category_id": class_index + 1,
            "segmentation": segmentation,
            "area": area,
            "bbox": box,
            "iscrowd": 0,
            # orjson writes NaN as null.
            "attributes": {"object_id": index + 1, "score": score},
        }
        for index, (class_index, score, segmentation, area, box) in enumerate(rows)
    ]


def _segmentations(image: Image) -> Iterator[list[NDArray[np.float64]] | dict[str, Any]]:
    """For each object its polygons, each as x, y, x, y, or its run lengths."""
    objects = image.objects
    flat = np.ascontiguousarray(objects.points).reshape(-1)
    starts, rings = (2 * objects.ring_starts).tolist(), objects.object_rings.tolist()
    with_holes = set(objects.ring_objects[objects.ring_is_hole].tolist())
    for index, (first, last) in enumerate(pairwise(rings)):
        if index in with_holes:
            counts = run_lengths(list(objects.parts(index)), width=image.width, height=image.height)
            yield {"size": [image.height, image.width], "counts": counts}
        else:
            yield [flat[start:end] for start, end in pairwise(starts[first : last + 1])]


def run_lengths(parts: list[list[Points]], *, width: int, height: int) -> list[int]:
    """Lengths of runs of 0 and 1 by turns, column after column, beginning with 0; their sum is width·height.

    pycocotools draws the rings, in the box around the object only.
    """
    left, top, right, bottom = _pixel_box(parts, width, height)
    if right <= left or bottom <= top:
        return [width * height]
    shape = (bottom - top, right - left)
    filled = np.zeros(shape, np.bool_)
    for outer, *holes in parts:
        part = _drawn(outer - (left, top), shape)
        for hole in holes:
            part &= ~_drawn(hole - (left, top), shape)
        filled |= part
    return _counts(filled, left, top, width, height)


def _pixel_box(parts: list[list[Points]], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that the outer rings touch within the image."""
    points = np.vstack([part[0] for part in parts])
    least, most = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    left, top = np.clip(least, 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(most, 0, (width, height)).astype(int).tolist()
    return left, top, right, bottom


def _drawn(ring: Points, shape: tuple[int, int]) -> NDArray[np.bool_]:
    # pycocotools walks along every edge: points far outside would take it hours and gigabytes.
    near = np.clip(ring, -4 * max(shape), 5 * max(shape))
    codes = coco_mask.frPyObjects([near.reshape(-1).tolist()], *shape)
    return np.asarray(coco_mask.decode(coco_mask.merge(codes)), np.bool_)


def _counts(filled: NDArray[np.bool_], left: int, top: int, width: int, height: int) -> list[int]:
    """The run lengths, in an image of width x height, of a mask whose first pixel is at (left, top)."""
    padded = np.zeros((filled.shape[1], filled.shape[0] + 2), np.int8)
    padded[:, 1:-1] = filled.T
    columns, rows = np.nonzero(np.diff(padded, axis=1))
    changes = (columns + left) * height + rows + top
    # A run that ends with its column and goes on in the next is one run.
    going_on = np.flatnonzero(changes[1:] == changes[:-1])
    changes = np.delete(changes, np.concatenate([going_on, going_on + 1]))
    changes = changes[changes < width * height]
    counts: list[int] = np.diff(changes, prepend=0, append=width * height).tolist()
    return counts


def _areas(objects: Objects) -> list[float]:
    """Square pixels of each object, its holes taken off."""
    if not len(objects):
        return []
    rings = areas(objects.points, objects.ring_starts)
    signed = np.where(objects.ring_is_hole, -rings, rings)
    found: list[float] = np.add.reduceat(signed, objects.object_rings[:-1]).tolist()
    return found


def _boxes(objects: Objects) -> list[list[float]]:
    corners = bounds(objects.points, objects.ring_starts[objects.object_rings])
    boxes: list[list[float]] = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).tolist()
    return boxes
