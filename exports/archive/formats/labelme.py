"""labelme, a file an image, as its own window and supervision read it.

Each object is a `polygon`, one of several parts a polygon for each of them. `group_id` is the `object_id` of every
other file: it holds the parts of an object together. `label` is the class. Coordinates are pixels from the top-left
corner of the first pixel, which is labelme's own convention; outlines may reach beyond the image. Holes are filled,
because labelme has none: an object that lies in the hole of another is covered by it. Scores are in the other formats.

`imagePath` is the image in `images/`, seen from the file; `imageData` is null, which lets labelme read it from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from exports.archive.dataset import Dataset, Image
from exports.archive.zipping import Entry, Spool

VERSION = "5.5.0"
"""Of the labelme whose files look like this; later ones read them as well."""
AT_ONCE = 100


class Labelme:
    def __init__(self, dataset: Dataset) -> None:
        self._workspace, self._checkpoint = dataset.workspace, dataset.checkpoint
        self._class_names = dataset.class_names
        self.objects = 0

    def add(self, image: Image) -> Iterator[Entry]:
        spool = Spool(self._workspace)
        spool.write(orjson.dumps(_head(image))[:-1] + b',"shapes":[')
        separator = b"\n"
        for first in range(0, len(image.objects), AT_ONCE):
            self._checkpoint()
            shapes = list(self._shapes(image, range(first, min(first + AT_ONCE, len(image.objects)))))
            spool.write(separator + orjson.dumps(shapes, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1])
            self.objects += len({shape["group_id"] for shape in shapes})
            separator = b",\n"
        spool.write(b"\n]}\n")
        yield Entry(f"annotations/labelme/{image.stem}.json", spool)

    def finish(self) -> Iterator[Entry]:
        return iter(())

    def _shapes(self, image: Image, some: range) -> Iterator[dict[str, Any]]:
        """The parts of some of the image's objects."""
        for index in some:
            for outer, *_ in image.objects.parts(index):
                yield {
                    "label": self._class_names[image.objects.classes[index]],
                    "points": np.ascontiguousarray(outer),
                    "group_id": index + 1,
                    "description": "",
                    "shape_type": "polygon",
                    "flags": {},
                    "mask": None,
                }


def _head(image: Image) -> dict[str, Any]:
    return {
        "version": VERSION,
        "flags": {},
        "imagePath": f"../../images/{image.name}",
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }
