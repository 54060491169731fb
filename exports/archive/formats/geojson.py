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

from exports.archive.colours import class_colour
from exports.archive.columns import object_measures
from exports.archive.dataset import Dataset, Image
from exports.archive.measure import measurements_of
from exports.archive.repair import Geometries, covered, geometries_of
from exports.archive.zipping import Entry, Spool

AT_ONCE = 500


class GeoJson:
    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._workspace, self._checkpoint = dataset.workspace, dataset.checkpoint
        self.objects = 0
        self._classes = [_classification(index, name) for index, name in enumerate(dataset.class_names)]

    def add(self, image: Image) -> Iterator[Entry]:
        spool = Spool(self._workspace)
        spool.write(b'{"type":"FeatureCollection","features":[')
        separator = b"\n"
        for features in self._features(image):
            spool.write(separator + b",\n".join(map(orjson.dumps, features)))
            separator = b",\n"
            self.objects += len(features)
            self._checkpoint()
        spool.write(b"\n]}\n")
        yield Entry(f"annotations/geojson/{image.stem}.geojson", spool)

    def finish(self) -> Iterator[Entry]:
        return iter(())

    def _features(self, image: Image) -> Iterator[list[dict[str, Any]]]:
        """The features of the image, some hundred at once."""
        geometries, measurements = geometries_of(image.objects), _measurements(image, self._dataset)
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
    return {"classification": {"name": ": ".join(names), "color": class_colour(index)}}


def _measurements(image: Image, dataset: Dataset) -> Iterator[dict[str, float]]:
    """Of each object in stored order, by name and unit."""
    measured = measurements_of(image, dataset)
    columns = object_measures(dataset.channels)
    names = ["score", *(column.header(measured.unit) for column in columns)]
    rows = zip(image.objects.scores, measured.objects, strict=True)
    for score, values in rows:
        pairs = zip(names, (float(score), *values.tolist()), strict=True)
        yield {name: value for name, value in pairs if value == value}  # NaN differs from itself


def _valid(geometries: Geometries) -> Geometries:
    """Each turned as RFC 7946 asks, and repaired where it is not valid."""
    found = geometries.copy()
    for index in np.flatnonzero(~shapely.is_valid(found)):
        found[index] = covered(found[index])
    turned: Geometries = shapely.orient_polygons(found, exterior_cw=False)
    return turned
