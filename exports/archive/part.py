"""A part of an image, for who shows what an overlay of all of it will look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exports.archive.dataset import Indexes, Objects, Points


@dataclass(frozen=True)
class Part:
    """Pixels left, top, width, height, all of them in the image."""

    left: int
    top: int
    width: int
    height: int

    def widened(self, by: int, width: int, height: int) -> Part:
        """With so many pixels around it as the image of that size has."""
        left, top = max(0, self.left - by), max(0, self.top - by)
        right = min(width, self.left + self.width + by)
        return Part(left, top, right - left, min(height, self.top + self.height + by) - top)


@dataclass(frozen=True, eq=False)
class Some:
    """Some objects of an image, in its coordinates, to be drawn on a canvas that is a part of it."""

    objects: Objects
    numbers: Indexes
    """(N,): what each is called among all, from 1."""
    left: int = 0
    top: int = 0

    @classmethod
    def all(cls, objects: Objects) -> Some:
        """On the whole image."""
        return cls(objects, np.arange(1, len(objects) + 1))

    @property
    def corner(self) -> Indexes:
        return np.array([self.left, self.top])


def fullest(objects: Objects, image: tuple[int, int], part: tuple[int, int]) -> Part:
    """The part with most objects; the middle without any. Sizes are widths and heights."""
    size, most = np.array(image), np.minimum(image, part)
    half = np.maximum(np.array(part) // 2, 1)
    corner = (size - most) // 2
    if len(objects):
        lowest, highest = _boxes(objects)
        cells = (np.clip((lowest + highest) / 2, 0, size - 1) // half).astype(np.int64)
        counted = np.zeros(cells.max(axis=0) + 2, np.int64)
        np.add.at(counted, (cells[:, 0], cells[:, 1]), 1)
        around = counted[:-1, :-1] + counted[1:, :-1] + counted[:-1, 1:] + counted[1:, 1:]
        corner = np.array(np.unravel_index(around.argmax(), around.shape)) * half
    left, top = np.minimum(corner, size - most).tolist()
    return Part(left, top, *most.tolist())


def within(objects: Objects, part: Part) -> Some:
    """The objects whose boxes touch the part."""
    if not len(objects):
        return Some.all(objects)
    corner, size = np.array([part.left, part.top]), np.array([part.width, part.height])
    lowest, highest = _boxes(objects)
    kept = ((highest >= corner) & (lowest <= corner + size)).all(axis=1)
    rings = kept[objects.ring_objects]
    lengths = np.diff(objects.ring_starts)
    places = np.cumsum(kept) - 1
    some = Objects(
        points=objects.points[np.repeat(rings, lengths)],
        ring_starts=np.concatenate([[0], np.cumsum(lengths[rings])]),
        ring_objects=places[objects.ring_objects[rings]],
        ring_parts=objects.ring_parts[rings],
        classes=objects.classes[kept],
        scores=objects.scores[kept],
    )
    return Some(some, np.flatnonzero(kept) + 1, part.left, part.top)


def _boxes(objects: Objects) -> tuple[Points, Points]:
    """(N, 2) each: the least and the greatest coordinates of each object."""
    starts = objects.ring_starts[objects.object_rings[:-1]]
    return np.minimum.reduceat(objects.points, starts), np.maximum.reduceat(objects.points, starts)
