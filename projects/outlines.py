"""The packed columns of a Segmentation: outlines as flat arrays, in and out.

Packed floats are read two hundred times faster than JSON, and an archive needs them for every format.
Coordinates: (x, y) in pixels, (0, 0) the top-left corner of the first pixel; rings are not closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from projects.models import Segmentation

DEEP_ENOUGH = 0.5**0.5
"""Pixels: a shape with so much area for its length has a place that far from its edge, and so a pixel's centre."""
MOST_CENTRES = 1 << 22
"""That are looked at; a shape that is thin over more of them has one."""

Ring = Sequence[tuple[float, float]] | NDArray[np.float64]


class DamagedOutlines(ValueError):
    """The packed columns do not fit together; the message says how."""


@dataclass(frozen=True)
class OutlinedObject:
    """One object to store: its parts, each an outer ring followed by its holes."""

    parts: Sequence[Sequence[Ring]]
    class_name: str = "cell"
    score: float | None = None


@dataclass(frozen=True, eq=False)
class Outlines:
    """All objects of an image; N objects, R rings, P points."""

    points: NDArray[np.float64]
    """(P, 2)"""
    rings: NDArray[np.int32]
    """(R, 3): object index, part index within the object, number of points."""
    classes: NDArray[np.int16]
    """(N,): index in `class_names`."""
    scores: NDArray[np.float64]
    """(N,): NaN where there is none."""
    class_names: tuple[str, ...]


def pack(objects: Iterable[OutlinedObject]) -> dict[str, Any]:
    """The columns and counts of a Segmentation, as keyword arguments of its constructor."""
    objects = list(objects)
    names = tuple(sorted({each.class_name for each in objects}))
    table = [
        (index, part, np.asarray(ring, np.float64).reshape(-1, 2))
        for index, each in enumerate(objects)
        for part, rings in enumerate(each.parts)
        for ring in rings
    ]
    scores = [np.nan if each.score is None else each.score for each in objects]
    outlines = Outlines(
        points=np.concatenate([ring for _, _, ring in table]) if table else np.empty((0, 2)),
        rings=np.array([(index, part, len(ring)) for index, part, ring in table], np.int32).reshape(-1, 3),
        classes=np.array([names.index(each.class_name) for each in objects], np.int16),
        scores=np.array(scores, np.float64),
        class_names=names,
    )
    return columns(outlines)


def columns(outlines: Outlines) -> dict[str, Any]:
    """The same for outlines that are flat arrays already."""
    owners = np.unique(outlines.rings[:, :2], axis=0)[:, 0]
    return {
        "points": outlines.points.astype("<f8").tobytes(),
        "rings": outlines.rings.astype("<i4").tobytes(),
        "classes": outlines.classes.astype("<i2").tobytes(),
        "scores": outlines.scores.astype("<f8").tobytes(),
        "class_names": list(outlines.class_names),
        "object_count": len(outlines.classes),
        "hole_count": len(outlines.rings) - len(owners),
        "multipart_count": int((np.unique(owners, return_counts=True)[1] > 1).sum()),
        "overlap_count": overlap_count(outlines),
        "score_count": int(np.isfinite(outlines.scores).sum()),
    }


def overlap_count(outlines: Outlines) -> int:
    """How many objects share the centre of a pixel with a later one. A ring without three finite points has none."""
    with np.errstate(all="ignore"):  # GEOS raises flags of the processor for outlines without an area
        owners, parts = _polygons(outlines)
        first, second = shapely.STRtree(parts).query(parts, predicate="intersects")
        earlier = owners[first] < owners[second]
        first, second = first[earlier], second[earlier]
        shared = [_has_a_centre(each) for each in shapely.intersection(parts[first], parts[second])]
    return len(np.unique(owners[first[np.array(shared, np.bool_)]]))


def _has_a_centre(shape: Any) -> bool:
    """Whether the centre of a pixel lies inside the shapely geometry."""
    if not shape.area or shape.area >= DEEP_ENOUGH * shape.length:
        return bool(shape.area)
    lefts, tops, rights, bottoms = np.array(shape.bounds) - 0.5
    columns, rows = np.arange(np.ceil(lefts), rights), np.arange(np.ceil(tops), bottoms)
    if len(columns) * len(rows) > MOST_CENTRES:
        return True
    return bool(shapely.contains_xy(shape, *np.meshgrid(columns + 0.5, rows + 0.5)).any())


def _polygons(outlines: Outlines) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The parts as valid shapely polygons, and the index of the object of each."""
    lengths = outlines.rings[:, 2]
    ring_of_point = np.repeat(np.arange(len(lengths)), lengths)
    is_finite = np.bincount(ring_of_point, ~np.isfinite(outlines.points).all(axis=1), len(lengths)) == 0
    part_of_ring = np.unique(outlines.rings[:, :2], axis=0, return_inverse=True)[1]
    is_usable = np.bincount(part_of_ring, ~is_finite | (lengths < 3)) == 0
    used = is_usable[part_of_ring]
    points = outlines.points[used[ring_of_point]]
    rings = shapely.linearrings(points, indices=np.repeat(np.arange(used.sum()), lengths[used]))
    parts = shapely.polygons(rings, indices=np.unique(part_of_ring[used], return_inverse=True)[1])
    crossing = ~shapely.is_valid(parts)
    parts[crossing] = shapely.make_valid(parts[crossing], method="structure", keep_collapsed=False)
    return outlines.rings[used, 0][np.unique(part_of_ring[used], return_index=True)[1]], parts


def unpack(segmentation: Segmentation) -> Outlines:
    """Raise DamagedOutlines when a column's length is no whole number of its values."""
    try:
        return Outlines(
            points=np.frombuffer(segmentation.points, "<f8").reshape(-1, 2),
            rings=np.frombuffer(segmentation.rings, "<i4").reshape(-1, 3),
            classes=np.frombuffer(segmentation.classes, "<i2"),
            scores=np.frombuffer(segmentation.scores, "<f8"),
            class_names=tuple(segmentation.class_names),
        )
    except ValueError as error:
        raise DamagedOutlines("The stored outlines are cut short.") from error
