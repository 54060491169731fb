"""The outlined objects of an image as a page shows them: rows of a table and paths of SVG."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from projects.models import Image

if TYPE_CHECKING:
    from projects.outlines import Outlines


@dataclass(frozen=True)
class Drawn:
    object_id: int
    """As in every file of an archive: 1..n in stored order."""
    class_name: str
    score: float | None
    path: str
    """SVG path data in pixels of the image, for fill-rule evenodd: holes stay open."""


def objects(image: Image) -> list[Drawn]:
    """In stored order. None for an image without outlines, or with damaged ones."""
    from projects.outlines import DamagedOutlines

    if image.segmentation is None:
        return []
    try:
        return _drawn(image.segmentation.outlines)
    except (DamagedOutlines, IndexError):
        return []


def _drawn(outlines: Outlines) -> list[Drawn]:
    paths = _paths(outlines)
    classes, scores = outlines.classes.tolist(), outlines.scores.tolist()
    return [
        Drawn(
            object_id=index + 1,
            class_name=outlines.class_names[classes[index]],
            score=scores[index] if isfinite(scores[index]) else None,
            path="".join(paths[index]),
        )
        for index in range(len(classes))
    ]


def _paths(outlines: Outlines) -> list[list[str]]:
    """For each object its closed rings."""
    paths: list[list[str]] = [[] for _ in outlines.classes]
    start = 0
    for owner, _, length in outlines.rings.tolist():
        ring = outlines.points[start : start + length].round(1).tolist()
        paths[owner].append("M" + " ".join(f"{x:g},{y:g}" for x, y in ring) + "Z")
        start += length
    return paths
