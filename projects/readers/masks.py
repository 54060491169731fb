"""Label masks to outlined objects: each value but 0 is one object.

`exact` follows the edges of the pixels: the area of the polygon is the number of pixels, but its perimeter
is that of a staircase, 27 % too long for a disc. `smooth` is for people who measure: every point lies within
0.36 pixels of the middle of a pixel edge. What it promises:

- A pixel is inside exactly when the mask says so, judged by its centre. A centre is at least 0.354 pixels
  away from the polygon through the middles of the edges, and no point is moved further than 0.35.
- The area is the number of pixels within 2.5 % from 20 pixels on, within 1 % from 60, mostly within 0.1 %.
- The perimeter of a digital disc is 1 to 2 % too long.

Pixels that touch by a corner only are different parts of an object; holes that touch so are two holes. No
ring touches itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from projects.outlines import OutlinedObject

Labels = NDArray[Any]
"""(height, width) of any integer type."""
Points = NDArray[np.float64]
Mask = NDArray[np.uint8]
ClassOf = Callable[[int], str]
Edges = NDArray[np.int64]
"""(n, 3): a closed walk around pixels, the inside on its right; x and y of a pixel corner, and the direction."""
Draw = Callable[[Edges], Points]

# East, south, west, north: one step, and the pixels beyond the corner that it ends at, ahead to the left and
# to the right. A pixel is named by the corner nearest to the origin.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_AHEAD_LEFT = ((0, -1), (0, 0), (-1, 0), (-1, -1))
_AHEAD_RIGHT = ((0, 0), (-1, 0), (-1, -1), (0, -1))
_LARGEST_CORRECTION = 0.1


def exact(labels: Labels, class_of: ClassOf = lambda label: "cell") -> list[OutlinedObject]:
    """In the order of the labels; coordinates are whole numbers."""
    return list(_objects(labels, class_of, _corners))


def smooth(labels: Labels, class_of: ClassOf = lambda label: "cell") -> list[OutlinedObject]:
    """In the order of the labels; coordinates have three decimals and stay within the image."""
    size = np.array(labels.shape[::-1], np.float64)

    def draw(edges: Edges) -> Points:
        return _smoothed(edges).clip(0, size).round(3)

    return list(_objects(labels, class_of, draw))


def _objects(labels: Labels, class_of: ClassOf, draw: Draw) -> Iterator[OutlinedObject]:
    for label, mask, (left, top) in _each(labels):
        walks = [np.add(edges, (left, top, 0)) for edges in _parts_then_rings(mask)]
        yield OutlinedObject(parts=list(_nested(walks, draw)), class_name=class_of(label))


def _each(labels: Labels) -> Iterator[tuple[int, Mask, tuple[int, int]]]:
    """Each label with its mask, cut to what it covers, and the x and y of the cut."""
    ys, xs = np.nonzero(labels)
    values = labels[ys, xs]
    order = np.argsort(values, kind="stable")
    found, starts = np.unique(values[order], return_index=True)
    for label, members in zip(found, np.split(order, starts[1:]), strict=len(found) > 0):
        x, y = xs[members], ys[members]
        left, top = int(x.min()), int(y.min())
        mask = np.zeros((int(y.max()) - top + 1, int(x.max()) - left + 1), np.uint8)
        mask[y - top, x - left] = 1
        yield int(label), mask, (left, top)


def _parts_then_rings(mask: Mask) -> Iterator[Edges]:
    """The walks around each part: the outer one, then its holes."""
    count, parts = cv2.connectedComponents(mask, connectivity=4)
    for part in range(1, count):
        yield from _walks(np.pad(parts == part, 1))


def _nested(walks: list[Edges], draw: Draw) -> Iterator[list[Points]]:
    """Rings as they are stored: an outer walk begins a part, the others are its holes."""
    part: list[Points] = []
    for edges in walks:
        if part and _area(_corners(edges)) > 0:
            yield part
            part = []
        part.append(draw(edges))
    yield part


def _walks(inside: NDArray[np.bool_]) -> Iterator[Edges]:
    """Around one part, whose first row and column are empty; the outer walk first.

    The topmost edge of the part belongs to the outer walk; every walk goes east at least once.
    """
    rows = inside.tolist()
    ys, xs = np.nonzero(inside[1:] & ~inside[:-1])
    left = set(zip(xs.tolist(), (ys + 1).tolist(), strict=True))
    for start in sorted(left, key=lambda corner: (corner[1], corner[0])):
        if start in left:
            edges = _walk(rows, start)
            left.difference_update((x, y) for x, y, direction in edges if direction == 0)
            yield np.array(edges, np.int64) - (1, 1, 0)


def _walk(rows: list[list[bool]], start: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Where only a corner joins two pixels the walk keeps them together, so it never meets itself."""
    (x, y), direction = start, 0
    edges: list[tuple[int, int, int]] = []
    while not edges or (x, y, direction) != edges[0]:
        edges.append((x, y, direction))
        step = _STEPS[direction]
        x, y = x + step[0], y + step[1]
        to_left, to_right = _AHEAD_LEFT[direction], _AHEAD_RIGHT[direction]
        if rows[y + to_left[1]][x + to_left[0]]:
            direction = (direction - 1) % 4
        elif not rows[y + to_right[1]][x + to_right[0]]:
            direction = (direction + 1) % 4
    return edges


def _corners(edges: Edges) -> Points:
    """The points where the walk turns."""
    turns = edges[:, 2] != np.roll(edges[:, 2], 1)
    return edges[turns, :2].astype(np.float64)


def _smoothed(edges: Edges) -> Points:
    """The middles of the edges, averaged with their neighbours, then moved apart to regain the area."""
    middles = edges[:, :2] + np.array(_STEPS)[edges[:, 2]] / 2
    ring: Points = (np.roll(middles, 1, axis=0) + 2 * middles + np.roll(middles, -1, axis=0)) / 4
    tangents = np.roll(ring, -1, axis=0) - np.roll(ring, 1, axis=0)
    outwards = np.stack([tangents[:, 1], -tangents[:, 0]], axis=1)
    outwards /= np.hypot(*outwards.T)[:, None]
    length = np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum()
    missing = (_area(_corners(edges)) - _area(ring)) / length
    ring += outwards * np.clip(missing, -_LARGEST_CORRECTION, _LARGEST_CORRECTION)
    return ring


def _area(ring: Points) -> float:
    """Positive for a ring that has its inside on the right where y grows downwards."""
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2
