"""What explains an archive, made of what was really written into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from exports.archive.dataset import Dataset, LeftOut, Objects, Repaired
from exports.archive.formats import Format

PROGRAM = "Cell Segmentation Hub"


@dataclass(frozen=True)
class Counts:
    images: int
    objects: int


@dataclass(frozen=True)
class Contents:
    """What is known once every image has passed."""

    dataset: Dataset
    parts: tuple[Format, ...]
    """The parts that were asked for, in the order of `PARTS`."""
    read: Counts
    """The images and objects that could be read."""
    written: Mapping[str, Counts]
    """For each part, by its key, what it really holds."""
    features: Mapping[str, int]
    """The sum of `features_of` over what was read."""
    left_out: tuple[LeftOut, ...]
    repaired: tuple[Repaired, ...]
    program_version: str
    found: frozenset[str]
    """The patterns of files, as `Inventory` has them, that are in the archive."""
    lost_in_drawing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """For each part that draws, by its key, what its writer found that it could not show."""

    def files_of(self, part: Format) -> list[str]:
        """The patterns of its files that are in the archive."""
        return [pattern for pattern in part.files if pattern in self.found]

    def lost(self, part: Format) -> dict[str, int]:
        """How many holes, objects of several parts, scores the part could not hold; only what there was."""
        known = {**self.features, **self.lost_in_drawing.get(part.key, {})}
        return {loss: known[loss] for loss in part.losses if known.get(loss)}


def features_of(objects: Objects) -> Counter[str]:
    """How much there is of what some formats cannot hold: `holes`, objects of several `parts`, `scores`."""
    outer_rings = np.bincount(objects.ring_objects[~objects.ring_is_hole], minlength=len(objects))
    return Counter(
        holes=objects.hole_count(),
        parts=int((outer_rings > 1).sum()),
        scores=int(np.isfinite(objects.scores).sum()),
    )
