"""What libraries of geometry cannot take as it is: outlines that cross or overlap themselves."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from exports.archive.dataset import Image, Objects, Repaired

Geometries = NDArray[Any]
"""Of shapely polygons and multipolygons."""

LISTED = 20

_known: WeakKeyDictionary[Objects, Geometries] = WeakKeyDictionary()


def geometries_of(objects: Objects) -> Geometries:
    """(N,): the stored outlines, a Polygon for one part and a MultiPolygon for several; made once."""
    found = _known.get(objects)
    if found is None:
        found = _known[objects] = _geometries(objects)
    return found


def repaired_of(image: Image) -> list[Repaired]:
    """One note for all objects of the image whose outlines cross or overlap themselves; none where none does."""
    crossing = (np.flatnonzero(~shapely.is_valid(geometries_of(image.objects))) + 1).tolist()
    if not crossing:
        return []
    listed = ", ".join(map(str, crossing[:LISTED])) + (", …" if len(crossing) > LISTED else "")
    which = f"The outline of object {listed} crosses or overlaps itself, or has no area"
    if len(crossing) > 1:
        which = f"The outlines of {len(crossing):,} objects ({listed}) cross or overlap themselves, or have no area"
    sentence = (
        f"{which}. Formats that cannot hold that have the area that is covered, all others what was drawn."
    )
    return [Repaired(image.image_id, image.original_name, "outlines", "outlines_repaired", sentence)]


def covered(geometry: Any) -> Any:
    """The area that a shapely polygon or multipolygon covers; as it was where there is none."""
    try:
        with np.errstate(all="ignore"):
            area = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
            # Of slivers it leaves lines all the same, and polygons that share an edge.
            polygons = [part for part in shapely.get_parts(shapely.get_parts(area)) if part.area > 0]
            return shapely.union_all(polygons) if polygons else geometry
    except shapely.GEOSException:
        return geometry


def _geometries(objects: Objects) -> Geometries:
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
