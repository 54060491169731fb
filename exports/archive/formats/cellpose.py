"""Masks as Cellpose's own window saves and opens them: read with `numpy.load(path, allow_pickle=True).item()`.

`annotations/cellpose/<stem>_seg.npy`, a dictionary. `masks`: (height, width), in each pixel the `object_id`, 0
where there is none; `outlines`: the same on the pixels at the rim of an object or of a hole, 0 elsewhere. 16
bits a pixel, or 32 where an image has more than 65,535 objects. Coordinates are whole pixels: one belongs to an
object when its centre lies inside the outline and in none of its holes.

`filename`: the name in `images/`. `colors`, `ismanual` (all false: it is not known how an object was made): one
for each number up to the highest in `masks`. `est_diam`, `diameter`: the median diameter, in pixels, of circles
as large as the objects. `flows` and `manual_changes` are empty; the image itself is not inside.

To open one, put it beside its image and open the image, or drop the file on the window. Where objects
overlap, the later one is seen. Cellpose numbers all objects anew when one is missing: one that is hidden by
others or covers no pixel's centre. Classes and scores are in the other formats.
"""

from __future__ import annotations

import pickle  # nosec B403  # written, never read
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from exports.archive.dataset import Dataset, Image
from exports.archive.labels import LabelImage, Labels, labels_of
from exports.archive.zipping import CHUNK, Entry, Spool

_DIAMETER_OF_NOTHING = 30.0
"""Cellpose's own default."""
_PIXELS_AT_ONCE = 1 << 22
_TURN = 0.618034
"""Of the colour circle, from one object to the next: neighbours in number differ clearly."""


class Cellpose:
    def __init__(self, dataset: Dataset) -> None:
        self.lost: Counter[str] = Counter()
        """`overlaps`: objects that lost pixels to later ones; `absent`: objects without a pixel."""
        self.objects = 0
        self._checkpoint = dataset.checkpoint
        self._workspace = dataset.workspace

    def add(self, image: Image) -> Iterator[Entry]:
        found = labels_of(image, self._checkpoint)
        self.lost.update(overlaps=found.overlapped, absent=found.absent)
        self.objects += found.seen
        spool = Spool(self._workspace)
        _write(_fields(image, found, self._checkpoint), _Sink(spool, self._checkpoint))
        yield Entry(f"annotations/cellpose/{image.stem}_seg.npy", spool)

    def finish(self) -> Iterator[Entry]:
        return iter(())


def _fields(image: Image, found: LabelImage, checkpoint: Callable[[], None]) -> dict[str, Any]:
    """What Cellpose 1 to 4 save for a plane, and what each of them asks for when it opens one."""
    highest = int(np.flatnonzero(found.visible).max(initial=-1)) + 1
    diameter = _diameter(found)
    return {
        "outlines": outlines(found.labels, checkpoint),
        "colors": _colours(highest),
        "masks": found.labels,
        "chan_choose": [0, 0],
        "filename": image.name,
        "flows": [[], [], [], [], [[]]],
        "ismanual": np.zeros(highest, np.bool_),
        "manual_changes": [],
        "est_diam": diameter,
        "diameter": diameter,
    }


def outlines(labels: Labels, checkpoint: Callable[[], None]) -> Labels:
    """The labels of pixels of which a neighbour above, below, left or right is not of the same object.

    What lies around the image belongs to no object.
    """
    found, framed = np.zeros_like(labels), np.pad(labels, 1)
    rows = max(1, _PIXELS_AT_ONCE // labels.shape[1])
    for top in range(0, len(labels), rows):
        checkpoint()
        band = framed[top : top + rows + 2]
        inner = band[1:-1, 1:-1]
        same = (band[:-2, 1:-1] == inner) & (band[2:, 1:-1] == inner)
        same &= (band[1:-1, :-2] == inner) & (band[1:-1, 2:] == inner)
        np.copyto(found[top : top + rows], inner, where=~same)
    return found


def _diameter(found: LabelImage) -> float:
    """As `cellpose.utils.diameters` finds it."""
    seen = found.visible[found.visible > 0]
    return float(np.median(np.sqrt(seen)) * 2 / np.sqrt(np.pi)) if len(seen) else _DIAMETER_OF_NOTHING


def _colours(count: int) -> NDArray[np.uint8]:
    """(count, 3): pure hues, red, green and blue."""
    hues = (np.arange(count)[:, None] * _TURN + (0, 2 / 3, 1 / 3)) % 1
    colours: NDArray[np.uint8] = (255 * np.clip(np.abs(6 * hues - 3) - 1, 0, 1)).astype(np.uint8)
    return colours


class _Sink:
    """Takes what is pickled, in pieces between which the export may end."""

    def __init__(self, spool: Spool, checkpoint: Callable[[], None]) -> None:
        self._spool = spool
        self._checkpoint = checkpoint

    def write(self, content: bytes | pickle.PickleBuffer) -> int:
        """Large arrays come as they lie in memory."""
        view = memoryview(content).cast("B")
        for start in range(0, len(view), CHUNK):
            self._checkpoint()
            self._spool.write(bytes(view[start : start + CHUNK]))
        return len(view)


class _Pickler(pickle.Pickler):
    """Names only what every NumPy has: what NumPy 2 pickles by itself, NumPy before 1.26 cannot read."""

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return NotImplemented
        if value.dtype == object:
            return np.array, (value.item(),)
        return np.ndarray, (value.shape, value.dtype.str, pickle.PickleBuffer(value.data))


def _write(fields: dict[str, Any], sink: _Sink) -> None:
    """What `numpy.save` writes for a dictionary: an array without axes, whose one element it is."""
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(cast(Any, sink), header)
    _Pickler(cast(Any, sink), protocol=5).dump(np.array(fields, dtype=object))
