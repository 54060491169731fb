"""The label image of an image: in each pixel the `object_id` of the object there, 0 where there is none.

A pixel belongs to an object when its centre lies inside: even-odd over the rings of a part, so that holes
stay free and rings that cross themselves have one meaning. An edge that runs through a centre belongs to
the object on its right, and below it: neighbours with a common edge neither overlap nor leave a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from exports.archive.dataset import Image, Indexes, Objects
from exports.archive.geometry import following

Labels = NDArray[np.uint16] | NDArray[np.uint32]
Checkpoint = Callable[[], None]

_CROSSINGS_AT_ONCE = 1 << 18
_PIXELS_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class LabelImage:
    labels: Labels
    """(height, width): uint16, or uint32 where there are more objects than that holds."""
    covered: Indexes
    """(N,): the pixels that each object covers, whether a later one took them or not."""

    @cached_property
    def visible(self) -> Indexes:
        """(N,): the pixels that bear each object's number."""
        counts = np.zeros(len(self.covered) + 1, np.int64)
        pixels = self.labels.reshape(-1)
        for start in range(0, pixels.size, _PIXELS_AT_ONCE):
            counts += np.bincount(pixels[start : start + _PIXELS_AT_ONCE], minlength=len(counts))
        return counts[1:]

    @property
    def overwritten(self) -> int:
        """How often a pixel of one object was taken by a later one."""
        return int(self.covered.sum() - self.visible.sum())

    @property
    def overlapped(self) -> int:
        """The objects that lost pixels to later ones."""
        return int((self.visible < self.covered).sum())

    @property
    def seen(self) -> int:
        """The objects of which a pixel is left."""
        return int((self.visible > 0).sum())

    @property
    def absent(self) -> int:
        """The objects without a pixel: hidden, outside the image, or so small that they cover no centre."""
        return len(self.visible) - self.seen


_known: WeakKeyDictionary[Image, LabelImage] = WeakKeyDictionary()


def labels_of(image: Image, checkpoint: Checkpoint) -> LabelImage:
    """Drawn once, however many writers ask; forgotten with the image."""
    found = _known.get(image)
    if found is None:
        found = _known[image] = label_image(image, checkpoint)
    return found


def label_image(image: Image, checkpoint: Checkpoint) -> LabelImage:
    """Later objects lie on top. Beside the result, memory is bounded by the number of points."""
    objects = image.objects
    labels = np.zeros((image.height, image.width), np.uint16 if len(objects) <= 0xFFFF else np.uint32)
    covered = np.zeros(len(objects), np.int64)
    for spans in spans_of(objects, image.width, image.height, checkpoint):
        covered += np.bincount(spans.objects, spans.lengths, len(objects)).astype(np.int64)
        spans.paint(labels.reshape(-1), checkpoint)
    return LabelImage(labels, covered)


def spans_of(objects: Objects, width: int, height: int, checkpoint: Checkpoint) -> Iterator[Spans]:
    """What each object covers, whether a later one takes it or not; some rows of the image at a time."""
    edges = _Edges.of(objects, width, height)
    for top, bottom in _runs(edges.crossings_of_rows(), _CROSSINGS_AT_ONCE):
        checkpoint()
        yield edges.spans(top, bottom)


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of pixels within a row, object after object."""

    objects: Indexes
    first_pixels: Indexes
    """Counted row by row through the image."""
    lengths: Indexes

    @classmethod
    def joined(cls, some: Iterable[Spans]) -> Spans:
        """All of them, the spans of an object together."""
        every = list(some)
        objects, first_pixels, lengths = (
            np.concatenate([np.empty(0, np.int64), *(getattr(spans, name) for spans in every)])
            for name in ("objects", "first_pixels", "lengths")
        )
        order = np.argsort(objects, kind="stable")
        return cls(objects[order], first_pixels[order], lengths[order])

    def pixels(self, checkpoint: Checkpoint) -> Iterator[Indexes]:
        """The numbers of the pixels, span after span, about a million at once."""
        for first, last in _runs(self.lengths, _PIXELS_AT_ONCE):
            checkpoint()
            yield _counted_on(self.first_pixels[first:last], self.lengths[first:last])

    def paint(self, pixels: Labels, checkpoint: Checkpoint) -> None:
        for first, last in _runs(self.lengths, _PIXELS_AT_ONCE):
            checkpoint()
            lengths = self.lengths[first:last]
            # Where a pixel is named twice, NumPy leaves the later number: that of the later object.
            pixels[_counted_on(self.first_pixels[first:last], lengths)] = np.repeat(
                (self.objects[first:last] + 1).astype(pixels.dtype), lengths
            )


@dataclass(frozen=True, eq=False)
class _Edges:
    """The edges of all rings that cross the centre line of a row, each from its upper end downwards."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    slopes: NDArray[np.float64]
    """Change of x a row."""
    first_rows: Indexes
    last_rows: Indexes
    """One after the last row that is crossed."""
    parts: Indexes
    part_objects: Indexes
    """For each part of the image, the index of its object."""
    width: int
    height: int

    @classmethod
    def of(cls, objects: Objects, width: int, height: int) -> _Edges:
        points = objects.points
        ends = points[following(objects.ring_starts)]
        swapped = points[:, 1] > ends[:, 1]
        (x, y), (end_x, end_y) = np.where(swapped[:, None], (ends, points), (points, ends)).transpose(0, 2, 1)
        first_rows, last_rows = _first_centre(y, height), _first_centre(end_y, height)
        ring_parts = np.cumsum(~objects.ring_is_hole) - 1
        parts = np.repeat(ring_parts, np.diff(objects.ring_starts))
        kept = np.flatnonzero(first_rows < last_rows)
        x, y, end_x, end_y = x[kept], y[kept], end_x[kept], end_y[kept]
        slopes = (end_x - x) / (end_y - y)
        part_objects = objects.ring_objects[~objects.ring_is_hole]
        return cls(x, y, slopes, first_rows[kept], last_rows[kept], parts[kept], part_objects, width, height)

    def crossings_of_rows(self) -> Indexes:
        """(height,): how many edges cross the centre line of each row."""
        size = self.height + 1
        changes = np.bincount(self.first_rows, minlength=size) - np.bincount(self.last_rows, minlength=size)
        return np.cumsum(changes[:-1])

    def spans(self, top: int, bottom: int) -> Spans:
        """What lies inside between two crossings, in the rows from `top` to before `bottom`.

        A place is one number that grows with part, row and column, in this order; sorted, the crossings
        of each part in each row stand in pairs.
        """
        rows, columns = bottom - top, self.width + 1
        places = np.sort(self._crossings(top, bottom))
        starts, stops = places[::2], places[1::2]
        parts = starts // (rows * columns)
        to_object = (self.part_objects[parts] - parts) * (rows * columns)
        starts, stops = _united(starts + to_object, stops + to_object)
        lines, lefts = np.divmod(starts, columns)
        owners, lines = np.divmod(lines, rows)
        return Spans(owners, (lines + top) * self.width + lefts, stops - starts)

    def _crossings(self, top: int, bottom: int) -> Indexes:
        """The place of the first pixel on the right of each crossing."""
        within = np.flatnonzero((self.first_rows < bottom) & (self.last_rows > top))
        first_rows = np.maximum(self.first_rows[within], top)
        counts = np.minimum(self.last_rows[within], bottom) - first_rows
        edges, rows = np.repeat(within, counts), _counted_on(first_rows, counts)
        x = self.x[edges] + (rows + 0.5 - self.y[edges]) * self.slopes[edges]
        lines = self.parts[edges] * (bottom - top) + rows - top
        return lines * (self.width + 1) + _first_centre(x, self.width)


def _first_centre(coordinates: NDArray[np.float64], size: int) -> Indexes:
    """The first of `size` pixels whose centre is not before the coordinate; `size` where there is none."""
    return np.clip(np.ceil(coordinates - 0.5), 0, size).astype(np.int64)


def _counted_on(firsts: Indexes, counts: Indexes) -> Indexes:
    """From each first number as many as its count: 7 and 3 make 7, 8, 9."""
    before = np.cumsum(counts) - counts
    return np.repeat(firsts - before, counts) + np.arange(counts.sum())


def _united(starts: Indexes, stops: Indexes) -> tuple[Indexes, Indexes]:
    """The same places, each in one span only: parts of an object may overlap. Empty spans are dropped."""
    order = np.argsort(starts, kind="stable")
    order = order[(stops > starts)[order]]
    if not len(order):
        return order, order
    starts, stops = starts[order], np.maximum.accumulate(stops[order])
    begins = np.concatenate([[True], starts[1:] > stops[:-1]])
    return starts[begins], stops[np.append(begins[1:], True)]


def _runs(sizes: Indexes, most: int) -> Iterator[tuple[int, int]]:
    """Neighbours taken together, first and one after the last, until their sizes add up to `most`."""
    sums = np.cumsum(sizes)
    total = int(sums[-1]) if len(sums) else 0
    cuts = np.unique(np.searchsorted(sums, np.arange(0, total, most), side="right"))
    return pairwise([*cuts.tolist(), len(sizes)])
