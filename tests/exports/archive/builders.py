"""Small datasets for the tests of the archive."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import numpy as np
from numpy.typing import NDArray

from exports.archive.dataset import Dataset, Image, Objects, Points
from exports.archive.zipping import Entry, Spool

Part = Sequence[Points]
"""An outer ring followed by its holes."""


def square(x: float, y: float, side: float) -> Points:
    """A ring of four points whose corner nearest to the origin is `(x, y)`."""
    return np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], np.float64)


def objects_of(
    *objects: Sequence[Part], classes: Sequence[int] | None = None, scores: Sequence[float] | None = None
) -> Objects:
    """Objects from their parts; class 0 and no score unless given."""
    rings = [
        (index, part_index, np.asarray(ring, np.float64))
        for index, parts in enumerate(objects)
        for part_index, part in enumerate(parts)
        for ring in part
    ]
    lengths = [len(ring) for _, _, ring in rings]
    return Objects(
        points=np.concatenate([ring for _, _, ring in rings]) if rings else np.empty((0, 2)),
        ring_starts=np.cumsum([0, *lengths], dtype=np.int64),
        ring_objects=np.array([index for index, _, _ in rings], np.int64),
        ring_parts=np.array([part for _, part, _ in rings], np.int64),
        classes=np.array(classes if classes is not None else [0] * len(objects), np.int64),
        scores=np.array(scores if scores is not None else [np.nan] * len(objects), np.float64),
    )


def image_of(
    objects: Objects | None = None,
    folder: Path | None = None,
    pixels: NDArray[np.uint8] | None = None,
    **fields: Any,
) -> Image:
    """An image of 64 x 48 pixels named "cell <number>.png"; with a folder, `original` is a real PNG in it."""
    number = fields.get("number", 1)
    name = fields.get("name", f"cell {number}.png")
    width, height = fields.get("width", 64), fields.get("height", 48)
    original = (folder or Path("/nowhere")) / name
    if folder is not None:
        _write_png(original, pixels if pixels is not None else _gradient(width, height))
    defaults: dict[str, Any] = {
        "number": number,
        "image_id": str(UUID(int=number)),
        "original_name": name,
        "name": name,
        "stem": Path(name).stem,
        "width": width,
        "height": height,
        "pixel_size": None,
        "original": original,
        "sha256": hashlib.sha256(original.read_bytes()).hexdigest() if folder is not None else "0" * 64,
        "objects": objects if objects is not None else Objects.none(),
    }
    return Image(**(defaults | fields))


def dataset_of(workspace: Path, *images: Image, **fields: Any) -> Dataset:
    """The dataset that these images make up, with one class "cell"."""
    defaults: dict[str, Any] = {
        "project_name": "Project",
        "class_names": ("cell",),
        "image_count": len(images),
        "object_count": sum(len(image.objects) for image in images),
        "changed_at": datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC),
        "workspace": workspace,
        "unit": _unit(images),
    }
    return Dataset(**(defaults | fields))


def content_of(entry: Entry) -> bytes:
    """What the entry holds in the archive; a spool can be read once."""
    if isinstance(entry.content, Spool):
        deflated = b"".join(entry.content.finish())
        entry.content.close()
        return zlib.decompress(deflated, -zlib.MAX_WBITS)
    return entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    encoded, content = cv2.imencode(".png", pixels)
    assert encoded
    path.write_bytes(content.tobytes())


def _gradient(width: int, height: int) -> NDArray[np.uint8]:
    """Grey values that differ from pixel to pixel, as BGR."""
    grey = (np.arange(width)[None, :] * 3 + np.arange(height)[:, None] * 5) % 256
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def _unit(images: Sequence[Image]) -> str:
    units = {"px" if image.pixel_size is None else "µm" for image in images}
    return units.pop() if len(units) == 1 else ("mixed" if units else "px")
