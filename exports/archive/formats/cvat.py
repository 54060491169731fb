"""CVAT for images 1.1, as CVAT and datumaro read it.

`annotations/cvat/annotations.xml`. An `<image>` has the name that it has in `images/` and an id that counts from 0 in
the order of the archive; its objects follow in stored order, which is also their `z_order`: later ones lie on top. An
object of one ring is a `<polygon>` with all its points. One with holes or several parts is a `<mask>`: `rle` are the
lengths of runs of pixels outside and inside by turns, beginning outside, row after row through the box at `left`,
`top` that is `width` pixels wide and `height` high. Coordinates are pixels from the top-left corner of the first
pixel; a pixel belongs to a mask when its centre lies inside. A mask is cut off at the image's edge, a polygon is not.
An object with holes or several parts that covers no pixel's centre is missing.

The attributes `object_id` and `score` (empty where there is none) are text. `<labels>` lists the sorted classes with
their colours: create a task with the files of `images/` and labels of these names (CVAT leaves out attributes that a
label does not have), then choose Upload annotations, CVAT 1.1. Characters that XML forbids are replaced by `�`, and a
class without a name is called `unnamed`. datumaro wants the images in `images/` beside the XML; CVAT's own version
of it passes over masks, CVAT itself does not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import isnan

import numpy as np
import orjson

from exports.archive.colours import class_colour
from exports.archive.dataset import Dataset, Image, Indexes, Objects, Points
from exports.archive.labels import Spans, spans_of
from exports.archive.zipping import Entry, Spool

AT_ONCE = 100

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
"""Blanks but the plain one are written as numbers: in an attribute XML takes them for it."""

_HEAD = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
<version>1.1</version>
<meta>
<task>
<name>{name}</name>
<size>{size}</size>
<mode>annotation</mode>
<overlap>0</overlap>
<bugtracker></bugtracker>
<created>{time}</created>
<updated>{time}</updated>
<labels>
{labels}</labels>
</task>
<dumped>{time}</dumped>
</meta>
"""
_LABEL = """\
<label><name>{name}</name><color>#{colour}</color><type>any</type><attributes>{attributes}</attributes></label>
"""
_ATTRIBUTE = (
    "<attribute><name>{name}</name><mutable>False</mutable><input_type>text</input_type>"
    "<default_value></default_value><values></values></attribute>"
)


class Cvat:
    def __init__(self, dataset: Dataset) -> None:
        self.lost: Counter[str] = Counter()
        """`absent`: objects with holes or several parts and without a pixel."""
        self.objects = 0
        self._checkpoint = dataset.checkpoint
        self._labels = [escaped(name) for name in _label_names(dataset.class_names)]
        self._spool = Spool(dataset.workspace)
        self._spool.write(_head(dataset, self._labels).encode())

    def add(self, image: Image) -> Iterator[Entry]:
        size = f'width="{image.width}" height="{image.height}"'
        self._spool.write(f'<image id="{image.number - 1}" name="{escaped(image.name)}" {size}>\n'.encode())
        for first in range(0, len(image.objects), AT_ONCE):
            self._checkpoint()
            some = range(first, min(first + AT_ONCE, len(image.objects)))
            elements = list(self._elements(image, some))
            self._spool.write("".join(elements).encode())
            self.objects += len(elements)
        self._spool.write(b"</image>\n")
        return iter(())

    def finish(self) -> Iterator[Entry]:
        self._spool.write(b"</annotations>\n")
        yield Entry("annotations/cvat/annotations.xml", self._spool)

    def _elements(self, image: Image, some: range) -> Iterator[str]:
        """Of some of the image's objects."""
        objects, shapes = image.objects, _shapes(image, some, self._checkpoint)
        rows = zip(some, objects.classes[some.start : some.stop].tolist(), shapes, strict=True)
        for index, class_index, (tag, shape) in rows:
            if not shape:
                self.lost["absent"] += 1
                continue
            score = float(objects.scores[index])
            yield (
                f'<{tag} label="{self._labels[class_index]}" source="file" occluded="0" {shape} z_order="{index}">'
                f'<attribute name="object_id">{index + 1}</attribute>'
                f'<attribute name="score">{"" if isnan(score) else score}</attribute></{tag}>\n'
            )


def escaped(text: str) -> str:
    """For an element as for an attribute in quotation marks."""
    return _FORBIDDEN.sub("\ufffd", text).translate(_MARKUP)


def _head(dataset: Dataset, labels: list[str]) -> str:
    attributes = "".join(_ATTRIBUTE.format(name=name) for name in ("object_id", "score"))
    colours = (bytes(class_colour(index)).hex() for index in range(len(labels)))
    rows = zip(labels, colours, strict=True)
    return _HEAD.format(
        name=escaped(dataset.project_name),
        size=dataset.image_count,
        time=dataset.changed_at.isoformat(sep=" "),
        labels="".join(
            _LABEL.format(name=name, colour=colour, attributes=attributes) for name, colour in rows
        ),
    )


def _label_names(class_names: tuple[str, ...]) -> Iterator[str]:
    """One for each class, none of them empty and each once, also where XML cannot tell them apart."""
    taken: set[str] = set()
    for class_name in class_names:
        name = _FORBIDDEN.sub("\ufffd", class_name) or "unnamed"
        while name in taken:
            name += "_"
        taken.add(name)
        yield name


def _shapes(image: Image, some: range, checkpoint: Callable[[], None]) -> Iterator[tuple[str, str]]:
    """For each object its element and the attributes that describe its shape; these are empty where it has no pixel."""
    bounds = image.objects.object_rings[some.start : some.stop + 1]
    is_one_ring = (np.diff(bounds) == 1).tolist()
    drawn = [index for index, is_plain in zip(some, is_one_ring, strict=True) if not is_plain]
    masks = _masks(image, drawn, checkpoint)
    for first_ring, is_plain in zip(bounds[:-1].tolist(), is_one_ring, strict=True):
        if is_plain:
            yield "polygon", f'points="{_points(image.objects.ring(first_ring))}"'
        else:
            yield "mask", next(masks)


def _points(ring: Points) -> str:
    """`x,y;x,y`, in as many digits as give the same number back."""
    text = orjson.dumps(np.ascontiguousarray(ring), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[2:-2].replace(b"],[", b";").decode()


def _masks(image: Image, indexes: list[int], checkpoint: Callable[[], None]) -> Iterator[str]:
    """One for each of these objects."""
    if not indexes:
        return
    selected = _selected(image.objects, indexes)
    spans = Spans.joined(spans_of(selected, image.width, image.height, checkpoint))
    bounds = np.searchsorted(spans.objects, np.arange(len(indexes) + 1))
    for first, last in pairwise(bounds.tolist()):
        yield _mask(spans.first_pixels[first:last], spans.lengths[first:last], image.width)


def _selected(objects: Objects, indexes: list[int]) -> Objects:
    """These objects alone."""
    bounds = objects.object_rings
    rings = np.concatenate([np.arange(bounds[index], bounds[index + 1]) for index in indexes])
    outlines = [objects.ring(ring) for ring in rings.tolist()]
    return Objects(
        points=np.vstack(outlines),
        ring_starts=np.cumsum([0, *map(len, outlines)]),
        ring_objects=np.searchsorted(indexes, objects.ring_objects[rings]),
        ring_parts=objects.ring_parts[rings],
        classes=objects.classes[indexes],
        scores=objects.scores[indexes],
    )


def _mask(first_pixels: Indexes, lengths: Indexes, image_width: int) -> str:
    """Of runs of pixels that are counted row by row through the image; empty for none."""
    if not len(lengths):
        return ""
    rows, columns = np.divmod(first_pixels, image_width)
    left, top = int(columns.min()), int(rows[0])
    width, height = int((columns + lengths).max()) - left, int(rows[-1]) + 1 - top
    starts = (rows - top) * width + columns - left
    counts = ",".join(map(str, _counts(starts, starts + lengths, width * height)))
    return f'rle="{counts}" left="{left}" top="{top}" width="{width}" height="{height}"'


def _counts(starts: Indexes, stops: Indexes, total: int) -> list[int]:
    """How many of `total` pixels are outside and inside by turns; the first number may be 0."""
    is_apart = starts[1:] > stops[:-1]  # a run that ends with its row may go on in the next
    starts, stops = starts[np.append(True, is_apart)], stops[np.append(is_apart, True)]
    changes = np.stack([starts, stops], axis=1).reshape(-1)
    counts: list[int] = np.diff(changes, prepend=0, append=total).tolist()
    return counts if counts[-1] else counts[:-1]
