"""Label images: in each pixel the `object_id` of the object there, 0 where there is none.

`annotations/masks/<stem>_labels.tif`: a TIFF of one page, in the size of its image, with 16 bits a pixel, or 32
where an image has more than 65,535 objects; strips, deflated. Coordinates are whole pixels: one belongs to an
object when its centre lies inside the outline and in none of its holes. The centre of the first pixel is
(0.5, 0.5) in every other file; a centroid measured on whole pixels is half a pixel less.

Where objects overlap, the later one is seen. An object that covers no pixel's centre is not seen at all; the
numbers of the others stay what they are. Classes and scores are in the other formats. Where the image has a
scale, ImageJ takes it from the file; it shows images of 32 bits as real numbers, exact up to 16,777,216.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import tifffile
from isal import isal_zlib

from exports.archive.dataset import Dataset, Image
from exports.archive.labels import Labels, labels_of
from exports.archive.zipping import Entry

_STRIP = 1 << 18
"""Bytes, at most unless a row has more."""


class Masks:
    def __init__(self, dataset: Dataset) -> None:
        self.lost: Counter[str] = Counter()
        """`overlaps`: objects that lost pixels to later ones; `absent`: objects without a pixel."""
        self.objects = 0
        self._checkpoint = dataset.checkpoint

    def add(self, image: Image) -> Iterator[Entry]:
        found = labels_of(image, self._checkpoint)
        self.lost.update(overlaps=found.overlapped, absent=found.absent)
        self.objects += found.seen
        content = encoded(found.labels, image.pixel_size, self._checkpoint)
        yield Entry(f"annotations/masks/{image.stem}_labels.tif", content)

    def finish(self) -> Iterator[Entry]:
        return iter(())


def encoded(labels: Labels, pixel_size: float | None, checkpoint: Callable[[], None]) -> bytes:
    """A TIFF that ImageJ reads: no tiles, no predictor, no BigTIFF; the same bytes each time."""
    rows = max(1, _STRIP // labels[0].nbytes)
    file = BytesIO()
    tifffile.imwrite(
        file,
        _strips(labels, rows, checkpoint),
        shape=labels.shape,
        dtype=labels.dtype,
        bigtiff=False,
        byteorder="<",
        photometric="minisblack",
        compression="adobe_deflate",
        rowsperstrip=rows,
        metadata=None,
        software=False,
        **_scale(pixel_size),
    )
    return file.getvalue()


def _strips(labels: Labels, rows: int, checkpoint: Callable[[], None]) -> Iterator[bytes]:
    for top in range(0, len(labels), rows):
        checkpoint()
        yield isal_zlib.compress(labels[top : top + rows].tobytes(), 1)


def _scale(pixel_size: float | None) -> dict[str, Any]:
    """ImageJ takes the unit from a description that begins with its name, pixels a unit from the resolution."""
    if pixel_size is None:
        return {}
    resolution = (1 / pixel_size, 1 / pixel_size)
    return {"description": "ImageJ=1.53t\nunit=um\n", "resolution": resolution, "resolutionunit": "none"}
