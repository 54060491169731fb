"""Exact geometry of many polygons at once, on flat arrays: rings `points[starts[r]:starts[r + 1]]`.

Everything is in pixels and float64. Rings are not closed and may turn either way. A ring that crosses
itself gives what the formula gives: never an exception, NaN where there is no value.

Sources: area, centroid and second moments of a polygon from Green's theorem (C. Steger, "On the
calculation of arbitrary moments of polygons", 1996); rotating calipers (M. I. Shamos, "Computational
geometry", 1978; G. T. Toussaint, "Solving geometric problems with the rotating calipers", 1983).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from exports.archive.dataset import Indexes, Points

Values = NDArray[np.float64]
Vectors = tuple[Values, Values]
"""x and y of many vectors, (n,) each."""


def following(starts: Indexes) -> Indexes:
    """(P,): for each point the index of the next point of its ring; the last is followed by the first."""
    after = np.arange(1, starts[-1] + 1)
    after[starts[1:] - 1] = starts[:-1]
    return after


def perimeters(points: Points, starts: Indexes) -> Values:
    """(R,): the length of each closed ring."""
    if len(starts) == 1:
        return np.empty(0)
    x, y = np.ascontiguousarray(points.T)
    after = following(starts)
    lengths: Values = np.add.reduceat(np.sqrt((x[after] - x) ** 2 + (y[after] - y) ** 2), starts[:-1])
    return lengths


def areas(points: Points, starts: Indexes) -> Values:
    """(R,): the area of each ring, whichever way it turns; 0 for points on a line."""
    if len(starts) == 1:
        return np.empty(0)
    # Seen from the ring's first point: far from the origin the products would lose digits.
    x, y = (points - np.repeat(points[starts[:-1]], np.diff(starts), axis=0)).T
    after = following(starts)
    doubled: Values = np.add.reduceat(_cross((x, y), (x[after], y[after])), starts[:-1])
    return np.abs(doubled) / 2


def bounds(points: Points, starts: Indexes) -> Points:
    """(R, 4): smallest x, smallest y, largest x, largest y of each ring or run of rings."""
    if len(starts) == 1:
        return np.empty((0, 4))
    axes = np.ascontiguousarray(points.T)
    least = [np.minimum.reduceat(axis, starts[:-1]) for axis in axes]
    most = [np.maximum.reduceat(axis, starts[:-1]) for axis in axes]
    return np.column_stack([*least, *most])


def ring_moments(points: Points, starts: Indexes) -> Points:
    """(R, 6): the integrals of 1, x, y, x², xy, y² over each ring, turned so that its area is positive.

    Give points near the origin: the integrals cancel otherwise.
    """
    if len(starts) == 1:
        return np.empty((0, 6))
    x, y = np.ascontiguousarray(points.T)
    after = following(starts)
    next_x, next_y = x[after], y[after]
    cross = x * next_y - next_x * y
    sum_x, sum_y = x + next_x, y + next_y
    terms = np.empty((6, len(x)))
    terms[0] = cross / 2
    terms[1] = sum_x * cross / 6
    terms[2] = sum_y * cross / 6
    terms[3] = (sum_x * sum_x - x * next_x) * cross / 12
    terms[4] = (sum_x * sum_y + x * y + next_x * next_y) * cross / 24
    terms[5] = (sum_y * sum_y - y * next_y) * cross / 12
    integrals: Points = np.add.reduceat(terms, starts[:-1], axis=1).T
    integrals *= np.where(integrals[:, :1] < 0, -1.0, 1.0)
    return integrals


def may_be_corners(points: Points, starts: Indexes) -> NDArray[np.bool_]:
    """(P,): false for points that cannot be corners of a hull, which halves the time that hulls take.

    These lie in the triangle of both neighbours and the mean of the ring. That triangle is inside the
    hull, whether the ring crosses itself or not.
    """
    if len(starts) == 1:
        return np.empty(0, np.bool_)
    counts, after = np.diff(starts), following(starts)
    x, y = (axis - np.repeat(np.add.reduceat(axis, starts[:-1]) / counts, counts) for axis in points.T)
    before = np.empty_like(after)
    before[after] = np.arange(len(after))
    steps = (x[after] - x, y[after] - y)
    turn = _cross((steps[0][before], steps[1][before]), steps)
    onwards = _cross((x, y), steps)
    backwards = onwards[before]
    is_inside = (onwards > 0) & (backwards > 0) & (turn < 0)
    is_inside |= (onwards < 0) & (backwards < 0) & (turn > 0)
    return ~is_inside


@dataclass(frozen=True, eq=False)
class Hulls:
    """Convex hulls in a frame whose y grows upwards, anticlockwise, not closed.

    A hull has two points where all points lie on a line, and one where they coincide.
    """

    points: Points
    starts: Indexes

    @classmethod
    def of(cls, points: Points, owners: Indexes) -> Hulls:
        """One hull for each owner 0..n-1; `owners` (P,) never falls. Every owner has two points or more."""
        hulls = shapely.convex_hull(shapely.linestrings(points, indices=owners))
        hulls = shapely.orient_polygons(hulls, exterior_cw=True)
        corners, hull_of_corner = shapely.get_coordinates(hulls, return_index=True)
        ends = np.flatnonzero(np.diff(hull_of_corner, append=len(hulls)))
        firsts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
        closing = ends[(ends > firsts) & (corners[ends] == corners[firsts]).all(axis=1)]
        kept = np.delete(hull_of_corner, closing)
        upwards = np.delete(corners, closing, axis=0) * (1.0, -1.0)
        return cls(upwards, np.searchsorted(kept, np.arange(len(hulls) + 1)))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def perimeters(self) -> Values:
        """(N,): a hull of two points counts its line there and back."""
        return perimeters(self.points, self.starts)

    def areas(self) -> Values:
        """(N,): zero for points on a line."""
        return areas(self.points, self.starts)


@dataclass(frozen=True, eq=False)
class Ferets:
    """Caliper widths of hulls, (N,) each; the angle in degrees, [0, 180), NaN for a single point."""

    largest: Values
    smallest: Values
    angle: Values
    across: Values


def ferets(hulls: Hulls) -> Ferets:
    """Rotate calipers around all hulls at once."""
    if not len(hulls):
        return Ferets(*np.empty((4, 0)))
    x, y = np.ascontiguousarray(hulls.points.T)
    after = following(hulls.starts)
    edges = (x[after] - x, y[after] - y)
    heights, squares = np.zeros(len(x)), np.empty((3, len(x)))
    spans = np.empty((3, 2, len(x)))
    for index, opposite in enumerate(_opposite(edges, hulls, after)):
        spans[index] = across_x, across_y = x[opposite] - x, y[opposite] - y
        np.maximum(heights, np.abs(_cross(edges, (across_x, across_y))), out=heights)
        squares[index] = across_x * across_x + across_y * across_y
    lengths = np.hypot(*edges)
    widths = heights / np.where(lengths > 0, lengths, 1.0)
    smallest = np.minimum.reduceat(widths, hulls.starts[:-1])
    largest, angle = _largest(spans, squares, hulls.starts)
    return Ferets(largest, smallest, angle, _widths_across(hulls, angle))


def _opposite(edges: Vectors, hulls: Hulls, after: Indexes) -> Iterator[Indexes]:
    """(H,) three times: the hull point before the one farthest from each edge, that one, and the next.

    The angle turned so far grows along a hull, and the farthest point starts the first edge that has
    turned half a circle more. The neighbours make up for parallel edges and for rounding.
    """
    starts, counts = hulls.starts, np.diff(hulls.starts)
    next_edges = (edges[0][after], edges[1][after])
    turns = np.arctan2(np.abs(_cross(edges, next_edges)), edges[0] * next_edges[0] + edges[1] * next_edges[1])
    # One object with coordinates that overflow must not spoil the sum for all after it.
    turned = np.concatenate([[0.0], np.cumsum(np.nan_to_num(turns))])
    whole = turned[starts[1:]] - turned[starts[:-1]]
    wanted = turned[:-1] + np.pi
    wanted -= np.where(wanted >= np.repeat(turned[starts[1:]], counts), np.repeat(whole, counts), 0.0)
    first, last = np.repeat(starts[:-1], counts), np.repeat(starts[1:] - 1, counts)
    found = np.clip(np.searchsorted(turned[:-1], wanted), first, last)
    yield np.where(found == first, last, found - 1)
    yield found
    yield after[found]


def _largest(spans: Values, squares: Values, starts: Indexes) -> tuple[Values, Values]:
    """The largest distance and its angle; among equal ones, to 1e-12, the smallest angle.

    Of two points that calipers touch at once, one starts the edge that ends this: no pair is missed.
    """
    largest = np.maximum.reduceat(squares.max(axis=0), starts[:-1])
    index, point = np.nonzero(squares >= np.repeat(largest, np.diff(starts)) * (1 - 2e-12))
    angles = np.full(squares.shape[1], np.inf)
    np.minimum.at(angles, point, directions(spans[index, :, point]))
    angle = np.minimum.reduceat(angles, starts[:-1])
    return np.sqrt(largest), np.where(largest > 0, angle, np.nan)


def directions(spans: Points) -> Values:
    """Degrees in [0, 180) of the lines along `spans` (n, 2), anticlockwise where y grows upwards."""
    return folded(np.degrees(np.arctan2(spans[:, 1], spans[:, 0])))


def folded(degrees: Values) -> Values:
    """Directions of lines in [0, 180); what is 180 but for rounding is 0."""
    angles = degrees % 180.0
    return np.where(angles > 180.0 - 1e-9, 0.0, angles)


def _widths_across(hulls: Hulls, angle: Values) -> Values:
    """(N,): the extent of each hull at a right angle to `angle`; 0 for a single point."""
    turned, counts = np.radians(np.nan_to_num(angle)), np.diff(hulls.starts)
    cosines, sines = np.repeat(np.cos(turned), counts), np.repeat(np.sin(turned), counts)
    heights = hulls.points[:, 1] * cosines - hulls.points[:, 0] * sines
    top = np.maximum.reduceat(heights, hulls.starts[:-1])
    across: Values = top - np.minimum.reduceat(heights, hulls.starts[:-1])
    return across


def _cross(first: Vectors, second: Vectors) -> Values:
    return first[0] * second[1] - first[1] * second[0]
