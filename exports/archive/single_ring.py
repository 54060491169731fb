"""One ring that shows a whole object, for formats that have room for no more.

It is cut off at the image's edge (I. E. Sutherland, G. W. Hodgman, "Reentrant polygon clipping", 1974): what lies
inside keeps its shape, and stretches of it hang together by lines without width along the edge. Several parts are
joined by bridges without width, the shortest lines between them that make a tree (R. C. Prim, "Shortest connection
networks", 1957): such lines cross no part and no other bridge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter

import numpy as np
import shapely
from numpy.typing import NDArray

from exports.archive.dataset import Points
from exports.archive.repair import covered

Geometries = NDArray[np.object_]
"""Of shapely's polygons or rings."""
Bridge = tuple[int, int, Points]
"""From which part, to which, and both ends, (2, 2)."""
Detour = tuple[float, list[Points]]
"""The place on a ring where it begins and ends, and the points on the way."""


def single_ring(outers: list[Points], size: tuple[int, int], checkpoint: Callable[[], None]) -> Points:
    """(n, 2): the outer rings of an object within an image of `size` (width, height), holes filled.

    Empty where nothing is inside. One ring stays what it is as far as it lies inside; of several, what they
    cover together is shown, with the gaps that they enclose.
    """
    rings = [ring for ring in (_within(outer, size) for outer in outers) if len(ring) > 2]
    if len(rings) == 1:
        return rings[0]
    parts = _apart(rings, checkpoint)
    if not len(parts):
        return np.empty((0, 2))
    return _joined([shapely.get_coordinates(part)[:-1] for part in parts], [*_bridges(parts, checkpoint)])


def _within(ring: Points, size: tuple[int, int]) -> Points:
    for axis, limit in enumerate(size):
        ring = _cut(ring, axis, ring[:, axis] >= 0, 0)
        ring = _cut(ring, axis, ring[:, axis] <= limit, limit)
    return ring


def _cut(ring: Points, axis: int, is_inside: NDArray[np.bool_], limit: float) -> Points:
    """The ring without its points that are not inside, along the line where the coordinate is the limit."""
    if is_inside.all():
        return ring
    crosses = is_inside != np.roll(is_inside, -1)
    points, steps = ring[crosses], (np.roll(ring, -1, axis=0) - ring)[crosses]
    crossings = np.zeros_like(ring)
    crossings[crosses] = points + steps * ((limit - points[:, axis]) / steps[:, axis])[:, None]
    crossings[crosses, axis] = limit
    both: Points = np.stack([ring, crossings], axis=1)[np.stack([is_inside, crosses], axis=1)]
    return both


def _apart(rings: list[Points], checkpoint: Callable[[], None]) -> Geometries:
    """The outlines of the area that they cover together: none crosses another or lies within it."""
    # What is repaired may be polygons that share an edge: each counts for itself.
    outlines = _outlines(shapely.get_parts([covered(area) for area in map(shapely.Polygon, rings)]))
    checkpoint()
    # What lay in a gap is covered once the gap is filled.
    return _outlines(shapely.polygons(outlines))


def _outlines(polygons: Geometries) -> Geometries:
    outlines: Geometries = shapely.get_exterior_ring(shapely.get_parts(shapely.union_all(polygons)))
    return outlines


def _bridges(parts: Geometries, checkpoint: Callable[[], None]) -> Iterator[Bridge]:
    """From what is joined already to the part that is nearest to it, until all are."""
    shapely.prepare(parts)
    boxes, waiting = shapely.bounds(parts), np.arange(1, len(parts))
    starts, distances = np.zeros(len(parts), np.int64), np.full(len(parts), np.inf)
    lines, newest = np.empty(len(parts), object), 0
    while len(waiting):
        checkpoint()
        near = waiting[_box_distances(boxes[newest], boxes[waiting]) < distances[waiting]]
        found = shapely.shortest_line(parts[newest], parts[near])
        is_closer = shapely.length(found) < distances[near]
        closer = near[is_closer]
        starts[closer], lines[closer] = newest, found[is_closer]
        distances[closer] = shapely.length(found[is_closer])
        newest = int(waiting[np.argmin(distances[waiting])])
        waiting = waiting[waiting != newest]
        yield int(starts[newest]), newest, shapely.get_coordinates(lines[newest])


def _box_distances(box: Points, others: Points) -> Points:
    """(n,): no part within the one is nearer to any within the others."""
    gaps = np.maximum(others[:, :2] - box[2:], box[:2] - others[:, 2:])
    distances: Points = np.hypot(*np.maximum(gaps, 0).T)
    return distances


def _joined(rings: list[Points], bridges: list[Bridge]) -> Points:
    """Around the first ring, and from each bridge over it, around what is behind it and back."""
    detours: list[list[Detour]] = [[] for _ in rings]
    for start, end, ends in reversed(
        bridges
    ):  # of a part, those that lead on come after the one that leads there
        walk = _walk(rings[end], _place(rings[end], ends[1]), detours[end])
        detours[start].append((_place(rings[start], ends[0]), [ends, *walk, ends[::-1]]))
    whole = np.vstack(_walk(rings[0], 0, detours[0]))
    # Bridges often begin and end at a corner, which stands there already.
    differs: NDArray[np.bool_] = (whole != np.roll(whole, 1, axis=0)).any(axis=1)
    return whole[differs]


def _walk(ring: Points, entry: float, detours: list[Detour]) -> list[Points]:
    """Around the ring, beginning after the entry and ending there."""
    twice, pieces, here = np.vstack([ring, ring]), [], entry
    ahead = [(place + len(ring) * (place < entry), detour) for place, detour in detours]
    for place, detour in sorted(ahead, key=itemgetter(0)):
        pieces += [twice[int(here) + 1 : int(place) + 1], *detour]
        here = place
    return [*pieces, twice[int(here) + 1 : int(entry) + len(ring) + 1]]


def _place(ring: Points, point: Points) -> float:
    """The index of the corner before the point on the ring, and how far it is from there to the next: 3.5."""
    steps = np.roll(ring, -1, axis=0) - ring
    squares = (steps**2).sum(axis=1)
    shares = ((point - ring) * steps).sum(axis=1) / np.where(squares > 0, squares, 1)
    shares = np.clip(shares, 0, 1)
    offsets = ring + shares[:, None] * steps - point
    edge = int(np.argmin((offsets**2).sum(axis=1)))
    return float(edge + shares[edge]) % len(ring)
