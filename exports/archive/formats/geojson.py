"""GeoJSON (RFC 7946) as QuPath reads and writes it: a FeatureCollection an image, a feature an object.

`annotations/geojson/<stem>.geojson`. Coordinates are pixels of the full-resolution image from the top-left
corner of the first pixel, y down: QuPath's convention, which is ours, and not the degrees that RFC 7946 means.
Rings are closed, the first point stands again at the end. Outer rings turn anticlockwise and holes clockwise
where y grows upwards, as RFC 7946 asks; seen on the screen it is the other way round.

A feature is a Polygon, or a MultiPolygon for an object of several parts. An outline that crosses or overlaps
itself becomes the area that it covers, because QuPath may refuse the whole file otherwise; every other outline
keeps its points. QuPath itself rounds to hundredths of a pixel. An object without an area keeps its points, and
is empty in QuPath.

`objectType` is `detection`, which QuPath has for objects that may be very numerous; annotations are for regions
drawn by hand. `name` is the `object_id` of every other file, and `id` is the same in every export. QuPath takes a
colon in the name of a class for a class derived from another. `measurements` are those of the tables, each with
its unit in its name, and the score; what does not exist is not there. Lengths, centroids too, are in µm where the
image has a scale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from exports.archive.columns import MEASURES
from exports.archive.dataset import Dataset, Image, Objects
from exports.archive.measure import measurements_of
from exports.archive.repair import covered
from exports.archive.zipping import Entry, Spool

Geometries = NDArray[Any]
"""Of shapely polygons and multipolygons."""

AT_ONCE = 500

# Told apart by the colour-blind: M. Okabe, K. Ito, "Color Universal Design", 2008.
_COLOURS = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
)


class GeoJson:
    def __init__(self, dataset: Dataset) -> None:
        self._workspace, self._checkpoint = dataset.workspace, dataset.checkpoint
        self._classes = [_classification(index, name) for index, name in enumerate(dataset.class_names)]

    def add(self, image: Image) -> Iterator[Entry]:
        spool = Spool(self._workspace)
        spool.write(b'{"type":"FeatureCollection","features":[')
        separator = b"\n"
        for features in self._features(image):
            spool.write(separator + b",\n".join(map(orjson.dumps, features)))
            separator = b",\n"
            self._checkpoint()
        spool.write(b"\n]}\n")
        yield Entry(f"annotations/geojson/{image.stem}.geojson", spool)

    def finish(self) -> Iterator[Entry]:
        return iter(())

    def _features(self, image: Image) -> Iterator[list[dict[str, Any]]]:
        """The features of the image, some hundred at once."""
        geometries, measurements = _geometries(image.objects), _measurements(image)
        classes, namespace = image.objects.classes.tolist(), UUID(image.image_id)
        for start in range(0, len(classes), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            texts = shapely.to_geojson(_valid(geometries[some]))
            rows = zip(texts, classes[some], measurements, strict=False)
            yield [
                {
                    "type": "Feature",
                    "id": str(uuid5(namespace, str(object_id))),
                    "geometry": orjson.Fragment(text),
                    "properties": {
                        "objectType": "detection",
                        "name": str(object_id),
                        **self._classes[class_index],
                        "measurements": measured,
                    },
                }
                for object_id, (text, class_index, measured) in enumerate(rows, start + 1)
            ]


def _classification(index: int, name: str) -> dict[str, Any]:
    """Nothing for a name without letters: QuPath refuses a file with an empty one, or one without a colour."""
    names = [part.strip() for part in re.split(r"[:\r\n]", name) if part.strip()]
    if not names:
        return {}
    return {"classification": {"name": ": ".join(names), "color": _COLOURS[index % len(_COLOURS)]}}


def _measurements(image: Image) -> Iterator[dict[str, float]]:
    """Of each object in stored order, by name and unit."""
    measured = measurements_of(image)
    names = ["score", *(column.header(measured.unit) for column in MEASURES)]
    rows = zip(image.objects.scores, measured.objects, strict=True)
    for score, values in rows:
        pairs = zip(names, (float(score), *values.tolist()), strict=True)
        yield {name: value for name, value in pairs if value == value}  # NaN differs from itself


def _geometries(objects: Objects) -> Geometries:
    """(N,): the stored outlines, a Polygon for one part and a MultiPolygon for several."""
    if not len(objects):
        return np.empty(0, object)
    ring_of_point = np.repeat(np.arange(len(objects.ring_objects)), np.diff(objects.ring_starts))
    is_outer = ~objects.ring_is_hole
    rings = shapely.linearrings(objects.points, indices=ring_of_point)
    parts = shapely.polygons(rings, indices=np.cumsum(is_outer) - 1)
    whole: Geometries = shapely.multipolygons(parts, indices=objects.ring_objects[is_outer])
    has_one_part = shapely.get_num_geometries(whole) == 1
    whole[has_one_part] = shapely.get_geometry(whole[has_one_part], 0)
    return whole


def _valid(geometries: Geometries) -> Geometries:
    """Each turned as RFC 7946 asks, and repaired where it is not valid."""
    found = geometries.copy()
    for index in np.flatnonzero(~shapely.is_valid(found)):
        found[index] = covered(found[index])
    turned: Geometries = shapely.orient_polygons(found, exterior_cw=False)
    return turned
