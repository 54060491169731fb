"""The values that an archive is made of, and the conventions they share.

Coordinates are `(x, y)` in pixels. `(0, 0)` is the top-left corner of the first pixel, x grows to the
right, y grows downwards, and pixel k spans [k, k + 1]. Rings are not closed: the last point differs
from the first. A writer whose format differs converts at its own edge and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Indexes = NDArray[np.int64]


FARTHEST = 2.0**24
"""Pixels from the corner of the image, in each direction: 32-bit numbers, as ImageJ has, tell pixels apart up to here."""


class DamagedObjects(ValueError):
    """The stored outlines of an image contradict themselves; the message says how."""


@dataclass(frozen=True, eq=False)
class Objects:
    """The outlined cells of one image as flat arrays, in stored order: `object_id` is index + 1.

    An object has one or more parts; a part is an outer ring followed by its holes.
    Raise DamagedObjects when the arrays do not fit together, a ring has fewer than three points,
    or a coordinate is not finite or more than FARTHEST away.
    """

    points: Points
    """(P, 2) float64: the points of all rings, one after the other."""
    ring_starts: Indexes
    """(R + 1,): ring r is `points[ring_starts[r]:ring_starts[r + 1]]`."""
    ring_objects: Indexes
    """(R,): the index of the object that the ring belongs to; never falls."""
    ring_parts: Indexes
    """(R,): the index of the part within its object; within an object it never falls."""
    classes: Indexes
    """(N,): the index of each object's class in `Dataset.class_names`."""
    scores: NDArray[np.float64]
    """(N,): the confidence of each object, NaN where there is none."""

    def __post_init__(self) -> None:
        for fault, found in self._faults():
            if found:
                raise DamagedObjects(fault)

    @classmethod
    def none(cls) -> Objects:
        empty = np.empty(0, np.int64)
        return cls(np.empty((0, 2)), np.zeros(1, np.int64), empty, empty, empty, np.empty(0))

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def ring_is_hole(self) -> NDArray[np.bool_]:
        """(R,): true for every ring but the first of its part."""
        same_object = self.ring_objects[1:] == self.ring_objects[:-1]
        same_part = self.ring_parts[1:] == self.ring_parts[:-1]
        is_hole = np.zeros(len(self.ring_objects), np.bool_)
        is_hole[1:] = same_object & same_part
        return is_hole

    @cached_property
    def object_rings(self) -> Indexes:
        """(N + 1,): the rings of object i are `object_rings[i]` up to `object_rings[i + 1]`."""
        return np.searchsorted(self.ring_objects, np.arange(len(self) + 1))

    def ring(self, index: int) -> Points:
        """The points of one ring, (n, 2)."""
        return self.points[self.ring_starts[index] : self.ring_starts[index + 1]]

    def parts(self, index: int) -> Iterator[list[Points]]:
        """The parts of object `index`: each a list of rings, the outer one first, then its holes."""
        part: list[Points] = []
        for ring in range(self.object_rings[index], self.object_rings[index + 1]):
            if part and not self.ring_is_hole[ring]:
                yield part
                part = []
            part.append(self.ring(ring))
        if part:
            yield part

    def hole_count(self) -> int:
        return int(self.ring_is_hole.sum())

    def _faults(self) -> Iterator[tuple[str, bool]]:
        """Each possible fault with whether it is there; later checks rely on the earlier ones."""
        rings, starts = len(self.ring_objects), self.ring_starts
        yield "the ring tables differ in length", len(starts) != rings + 1
        yield "the ring tables differ in length", len(self.ring_parts) != rings
        yield "the object tables differ in length", len(self.scores) != len(self.classes)
        yield "the rings do not cover the points", starts[0] != 0 or starts[-1] != len(self.points)
        yield "a ring has fewer than three points", bool((np.diff(starts) < 3).any())
        expected = np.arange(len(self.classes))
        complete = np.array_equal(np.unique(self.ring_objects), expected)
        yield "an object has no outline", not complete
        yield "the rings are out of order", bool((np.diff(self.ring_objects) < 0).any())
        yield "a coordinate is not a number", not np.isfinite(self.points).all()
        yield (
            f"a point is more than {FARTHEST:,.0f} pixels away",
            bool((np.abs(self.points) > FARTHEST).any()),
        )


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the snapshot, with everything that a writer may ask of it."""

    number: int
    """1..n in the archive's order (by name, then id): the image id of COCO."""
    image_id: str
    """The id that the hub knows it by, a UUID."""
    original_name: str
    """The name that the user gave it. Never a path, a cell or markup unescaped."""
    name: str
    """The name in the archive: safe, and unique when case is ignored."""
    stem: str
    """`name` without its ending, unique as well: for files made from this image."""
    width: int
    height: int
    pixel_size: float | None
    """µm per pixel, after the option that overrides it; None where unknown."""
    original: Path
    """The stored file, byte for byte what was uploaded."""
    sha256: str
    objects: Objects

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 BGR for display, decoded once. Raise UnreadableImage."""
        from imagefiles.display import for_display

        return for_display(self.original, width=self.width, height=self.height)


@dataclass(frozen=True)
class Style:
    """How overlays look; the options of the same names."""

    show_numbers: bool = True
    external_color: str = "#FF0000"
    internal_color: str = "#0000FF"
    stroke_width: int = 2
    font_size: int = 32
    opacity: float = 0.3
    image_format: str = "png"


@dataclass(frozen=True)
class Dataset:
    """What is known of the whole export before the first image is read."""

    project_name: str
    class_names: tuple[str, ...]
    """Every class of the export, sorted; the COCO category id is the index + 1."""
    image_count: int
    object_count: int
    changed_at: datetime
    """The newest change of what is exported, UTC: the time of every entry."""
    workspace: Path
    """A folder for files that grow while the images pass; removed with the staging area."""
    unit: str = "px"
    """`µm` when every image has a scale, `px` when none has, otherwise `mixed`."""
    scale_override: float | None = None
    channels: int = 0
    """How many channels intensities are measured in: the most that an image has; 0 without intensities."""
    style: Style = field(default_factory=Style)
    options: dict[str, object] = field(default_factory=dict)
    """The options as the user gave them, in the API's spelling, for the manifest."""
    checkpoint: Callable[[], None] = field(default=lambda: None, compare=False)
    """Called at least every second by whatever takes long; it raises when the export has to end."""


@dataclass(frozen=True)
class LeftOut:
    """An image, or a product of it, that could not be exported."""

    image_id: str
    original_name: str
    stage: str
    code: str
    sentence: str


@dataclass(frozen=True)
class Repaired(LeftOut):
    """What some formats have otherwise than it was outlined."""
