"""What libraries of geometry cannot take as it is: outlines that cross themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely


def covered(geometry: Any) -> Any:
    """The area that a shapely polygon or multipolygon covers; as it was where there is none."""
    try:
        with np.errstate(all="ignore"):
            area = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    except shapely.GEOSException:
        return geometry
    # Of slivers it leaves lines all the same.
    polygons = [part for part in shapely.get_parts(shapely.get_parts(area)) if part.area > 0]
    if len(polygons) == 1:
        return polygons[0]
    return shapely.MultiPolygon(polygons) if polygons else geometry
