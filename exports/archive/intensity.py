"""Intensities: statistics of the original pixel values under the mask of each object.

A pixel is under the mask when its centre lies inside (see `labels`), whether another object covers it too or not.
Values are those of the file, whatever the display shows. Values that are not a number or infinite are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exports.archive import geometry
from exports.archive.dataset import Indexes, Objects
from exports.archive.geometry import Values
from exports.archive.labels import Checkpoint, Spans, spans_of

STATISTICS = 6
"""Of each channel: mean, standard deviation, least, most, median, sum."""

MAX_CHANNELS = 32
"""Further channels are not measured: a table has a limit of columns."""

_PIXELS_AT_ONCE = 1 << 20


def intensities(objects: Objects, pixels: NDArray[Any], checkpoint: Checkpoint) -> NDArray[np.float64]:
    """(N, channels · STATISTICS), channel after channel; NaN without values, infinite where they overflow.

    `pixels` are (height, width, channels) of any type of number. Memory beside them holds some million values,
    and the values of one object where that one covers more.
    """
    height, width, channels = pixels.shape
    found = np.full((len(objects), channels, STATISTICS), np.nan)
    for first, last in _batches(objects, width, height):
        spans = Spans.joined(spans_of(_some(objects, first, last), width, height, checkpoint))
        counts = np.bincount(spans.objects, spans.lengths, last - first).astype(np.int64)
        values = _gathered(spans, pixels, checkpoint)
        for channel in range(channels):
            checkpoint()
            found[first:last, channel] = _statistics(*_finite(values[channel], counts), checkpoint)
    return found.reshape(len(objects), -1)


def _batches(objects: Objects, width: int, height: int) -> Iterator[tuple[int, int]]:
    """First and one after the last of neighbours that cover some million pixels; a larger object is alone."""
    box = geometry.bounds(objects.points, objects.ring_starts[objects.object_rings])
    corners = np.clip(box.reshape(-1, 2, 2), 0, (width, height))
    most = np.prod(corners[:, 1] - corners[:, 0] + 1, axis=1)
    numbers = (np.cumsum(most) - most) // _PIXELS_AT_ONCE
    is_large = most > _PIXELS_AT_ONCE
    begins = (np.diff(numbers) > 0) | is_large[1:] | is_large[:-1]
    return pairwise([0, *(np.flatnonzero(begins) + 1).tolist(), len(objects)])


def _some(objects: Objects, first: int, last: int) -> Objects:
    rings = slice(objects.object_rings[first], objects.object_rings[last])
    starts = objects.ring_starts[rings.start : rings.stop + 1]
    return Objects(
        points=objects.points[starts[0] : starts[-1]],
        ring_starts=starts - starts[0],
        ring_objects=objects.ring_objects[rings] - first,
        ring_parts=objects.ring_parts[rings],
        classes=objects.classes[first:last],
        scores=objects.scores[first:last],
    )


def _gathered(spans: Spans, pixels: NDArray[Any], checkpoint: Checkpoint) -> NDArray[Any]:
    """(channels, n): the values under the spans, in their order."""
    channels = pixels.shape[2]
    values = np.empty((channels, spans.lengths.sum()), pixels.dtype)
    flat, filled = pixels.reshape(-1, channels), 0
    for numbers in spans.pixels(checkpoint):
        values[:, filled : filled + len(numbers)] = flat[numbers].T
        filled += len(numbers)
    return values


def _finite(values: NDArray[Any], counts: Indexes) -> tuple[NDArray[Any], Indexes]:
    """The values of objects one after the other, and how many each has."""
    kept = np.isfinite(values)
    if kept.all():
        return values, counts
    ends = np.cumsum(counts)
    known = [np.count_nonzero(kept[end - count : end]) for end, count in zip(ends, counts, strict=True)]
    return values[kept], np.array(known)


def _statistics(values: NDArray[Any], counts: Indexes, checkpoint: Checkpoint) -> NDArray[np.float64]:
    """(N, STATISTICS); sorts the values of each object where they lie."""
    found = np.full((len(counts), STATISTICS), np.nan)
    has_values = counts > 0
    counts = counts[has_values]
    if not len(counts):
        return found
    starts = np.cumsum(counts) - counts
    with np.errstate(over="ignore", invalid="ignore"):
        sums = _sums(values, starts, checkpoint)
        means = sums / counts
        deviations = np.sqrt(_squares(values, starts, means, checkpoint) / counts)
        least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        medians = _medians(values, starts, counts)
    found[has_values] = np.column_stack([means, deviations, least, most, medians, sums])
    return found


def _sums(values: NDArray[Any], starts: Indexes, checkpoint: Checkpoint) -> Values:
    if len(starts) > 1:
        return np.asarray(np.add.reduceat(values, starts, dtype=np.float64))
    return np.array([sum(float(piece.sum(dtype=np.float64)) for piece in _pieces(values, checkpoint))])


def _squares(values: NDArray[Any], starts: Indexes, means: Values, checkpoint: Checkpoint) -> Values:
    """The sum of the squared distances from the mean."""
    if len(starts) > 1:
        repeated = np.repeat(means, np.diff(starts, append=len(values)))
        return np.asarray(np.add.reduceat(np.square(values - repeated), starts))
    pieces = _pieces(values, checkpoint)
    return np.array([sum(float(np.square(piece - means[0]).sum()) for piece in pieces)])


def _pieces(values: NDArray[Any], checkpoint: Checkpoint) -> Iterator[NDArray[Any]]:
    """Of one object, which may be the only one with more values than are measured at once."""
    for start in range(0, len(values), _PIXELS_AT_ONCE):
        checkpoint()
        yield values[start : start + _PIXELS_AT_ONCE]


def _medians(values: NDArray[Any], starts: Indexes, counts: Indexes) -> Values:
    low, high = starts + (counts - 1) // 2, starts + counts // 2
    if len(counts) == 1:
        values.partition((low[0], high[0]))
    else:
        # Slices are sorted faster than pairs of object and value: 2 to 50 ns a pixel, against 30 to 300.
        has_radix_sort = values.dtype.kind in "iu" and values.itemsize <= 2
        for start, stop in zip(starts.tolist(), (starts + counts).tolist(), strict=True):
            values[start:stop].sort(kind="stable" if has_radix_sort else "quicksort")
    return np.asarray(values[low].astype(np.float64) / 2 + values[high].astype(np.float64) / 2)
