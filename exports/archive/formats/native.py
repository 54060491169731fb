"""Everything that is stored, without loss: what the hub itself reads back equal.

`annotations/json/segmentation_data.json`: one object with `format`, `version`, `project`, `classes`,
`coordinates`, `unit` and `images`; `annotations/json/schema.json` is its JSON Schema (2020-12).

Coordinates are `[x, y]` in pixels, `(0, 0)` the top-left corner of the first pixel, y down, as 64-bit numbers
that read back to the same value; rings are not closed. An object's `rings` stand part after part, the outer
ring of a part before its holes: `kind` says which it is, `parent` is the `id` of the ring around a hole and
null for an outer ring. `score` is null where there is none, `pixel_size` is µm per pixel or null.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from exports.archive.dataset import Dataset, Image, Objects
from exports.archive.json_schema import exactly
from exports.archive.zipping import Entry, Spool

FORMAT, VERSION = "cell-segmentation-hub", 1
COORDINATES = "pixels, (0, 0) is the top-left corner of the first pixel, x right, y down, rings not closed"

_FOLDER = "annotations/json"


class Native:
    def __init__(self, dataset: Dataset) -> None:
        self._class_names = dataset.class_names
        self._spool = Spool(dataset.workspace)
        self._spool.write(orjson.dumps(_head(dataset))[:-1] + b',"images":[')
        self._separator = b"\n"
        self.objects = 0

    def add(self, image: Image) -> Iterator[Entry]:
        objects = _objects(image.objects, self._class_names)
        fields = _image(image) | {"objects": objects}
        self._spool.write(self._separator + orjson.dumps(fields, option=orjson.OPT_SERIALIZE_NUMPY))
        self._separator = b",\n"
        self.objects += len(objects)
        return iter(())

    def finish(self) -> Iterator[Entry]:
        self._spool.write(b"\n]}\n")
        yield Entry(f"{_FOLDER}/segmentation_data.json", self._spool)
        yield Entry(f"{_FOLDER}/schema.json", orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2) + b"\n")


def _head(dataset: Dataset) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "project": dataset.project_name,
        "classes": dataset.class_names,
        "coordinates": COORDINATES,
        "unit": dataset.unit,
    }


def _image(image: Image) -> dict[str, Any]:
    return {
        "id": image.image_id,
        "number": image.number,
        "original_name": image.original_name,
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "pixel_size": image.pixel_size,
        "sha256": image.sha256,
    }


def _objects(objects: Objects, class_names: tuple[str, ...]) -> list[dict[str, Any]]:
    rings = _rings(objects)
    bounds = objects.object_rings.tolist()
    return [
        {
            "object_id": index + 1,
            "class": class_names[class_index],
            # orjson writes NaN as null.
            "score": score,
            "rings": rings[bounds[index] : bounds[index + 1]],
        }
        for index, (class_index, score) in enumerate(
            zip(objects.classes.tolist(), objects.scores.tolist(), strict=True)
        )
    ]


def _rings(objects: Objects) -> list[dict[str, Any]]:
    """All rings of the image; `id` counts from 1 within each object."""
    points = np.ascontiguousarray(objects.points)
    starts, parts = objects.ring_starts.tolist(), objects.ring_parts.tolist()
    ids = (np.arange(len(parts)) - objects.object_rings[objects.ring_objects] + 1).tolist()
    rings: list[dict[str, Any]] = []
    outer: int | None = None
    for ring, is_hole in enumerate(objects.ring_is_hole.tolist()):
        outer = outer if is_hole else ids[ring]
        rings.append(
            {
                "id": ids[ring],
                "part": parts[ring],
                "kind": "hole" if is_hole else "outer",
                "parent": outer if is_hole else None,
                "points": points[starts[ring] : starts[ring + 1]],
            }
        )
    return rings


_COUNT = {"type": "integer", "minimum": 1}
_TEXT = {"type": "string"}
_POINT = {"type": "array", "prefixItems": [{"type": "number"}] * 2, "items": False, "minItems": 2}
_RING = exactly(
    id=_COUNT,
    part={"type": "integer", "minimum": 0},
    kind={"enum": ["outer", "hole"]},
    parent={"type": ["integer", "null"], "minimum": 1},
    points={"type": "array", "items": _POINT, "minItems": 3},
)
_OBJECT = exactly(
    object_id=_COUNT,
    **{"class": _TEXT},
    score={"type": ["number", "null"]},
    rings={"type": "array", "items": {"$ref": "#/$defs/ring"}, "minItems": 1},
)
_IMAGE = exactly(
    id=_TEXT,
    number=_COUNT,
    original_name=_TEXT,
    name=_TEXT,
    width=_COUNT,
    height=_COUNT,
    pixel_size={"type": ["number", "null"], "exclusiveMinimum": 0},
    sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    objects={"type": "array", "items": {"$ref": "#/$defs/object"}},
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Segmentation data",
    "$defs": {"image": _IMAGE, "object": _OBJECT, "ring": _RING},
    **exactly(
        format={"const": FORMAT},
        version={"const": VERSION},
        project=_TEXT,
        classes={"type": "array", "items": _TEXT},
        coordinates={"const": COORDINATES},
        unit={"enum": ["µm", "px", "mixed"]},
        images={"type": "array", "items": {"$ref": "#/$defs/image"}},
    ),
}
