"""ImageJ's regions of interest: a ZIP an image, which the ROI Manager opens, with a ROI an object.

`annotations/imagej/<stem>_RoiSet.zip`, entries `<object_id>.roi`. An object of one ring is a polygon ROI with
sub-pixel coordinates; one with holes or several parts is a composite ROI, whose holes turn against its outer
rings. Where parts or holes overlap, it is the area that they cover together, because ImageJ would leave the overlap
out. Coordinates are pixels from the top-left corner of the first pixel: ImageJ's convention for areas, which is
ours. They are rounded to 32-bit numbers.

A ROI is named by its `object_id`. Its group is the position of its class in the sorted list of classes, from 1,
and gives it its colour; classes from the 256th on have none, because ImageJ counts groups to 255. The properties
`class` and `score` (missing where there is none) are what `Roi.getProperty` returns; characters beyond ASCII
are written as `\\u` and their code there. The ZIP of an image without objects is empty, which the ROI Manager says.

ImageJ counts the pixels whose centre lies inside as area, and takes an outline of horizontal and vertical lines
only for a traced one, whose perimeter it shortens at each corner: compare with the tables of measurements with that in mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from math import isnan

import numpy as np
import shapely
from numpy.typing import NDArray
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

from exports.archive.dataset import Dataset, Image, Objects, Points
from exports.archive.geometry import bounds
from exports.archive.repair import covered
from exports.archive.zipping import Archive, Entry

MOVE, LINE, CLOSE = 0.0, 1.0, 4.0
"""The segments of a path, as java.awt.geom.PathIterator counts them."""

MOST_GROUPS = 255


class ImageJ:
    def __init__(self, dataset: Dataset) -> None:
        self._changed_at, self._checkpoint = dataset.changed_at, dataset.checkpoint
        self.objects = 0
        self._class_lines = [f"class: {_escaped(name)}\n" for name in dataset.class_names]

    def add(self, image: Image) -> Iterator[Entry]:
        file = BytesIO()
        archive = Archive(file, self._changed_at, self._checkpoint)
        for object_id, roi in enumerate(self._rois(image.objects), 1):
            archive.add(Entry(f"{object_id}.roi", roi.tobytes()))
            self.objects += 1
        archive.close()
        yield Entry(f"annotations/imagej/{image.stem}_RoiSet.zip", file.getvalue())

    def finish(self) -> Iterator[Entry]:
        return iter(())

    def _rois(self, objects: Objects) -> Iterator[ImagejRoi]:
        """One an object, in stored order."""
        boxes = bounds(objects.points, objects.ring_starts[objects.object_rings])
        corners = np.hstack([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])]).astype(int).tolist()
        rows = zip(objects.classes.tolist(), objects.scores.tolist(), corners, strict=True)
        for index, (class_index, score, (left, top, right, bottom)) in enumerate(rows):
            roi = ImagejRoi(left=left, top=top, right=right, bottom=bottom, name=str(index + 1))
            roi.group = class_index + 1 if class_index < MOST_GROUPS else 0
            roi.props = self._class_lines[class_index] + ("" if isnan(score) else f"score: {score!r}\n")
            _draw(list(objects.parts(index)), roi)
            yield roi


def _draw(parts: list[list[Points]], roi: ImagejRoi) -> None:
    """Give the ROI its shape."""
    is_one_ring = len(parts) == 1 and len(parts[0]) == 1
    rings = parts[0] if is_one_ring else _apart(parts)
    if len(rings) == 1:
        _draw_polygon(rings[0], roi)
    else:
        _draw_path(rings, roi)


def _draw_polygon(ring: Points, roi: ImagejRoi) -> None:
    """ImageJ reads the sub-pixel coordinates, which stand behind the whole ones."""
    roi.roitype = ROI_TYPE.POLYGON
    roi.options = ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.n_coordinates = len(ring)
    roi.integer_coordinates = (ring - (roi.left, roi.top)).astype(np.int32)
    roi.subpixel_coordinates = ring.astype(np.float32)


def _draw_path(rings: list[Points], roi: ImagejRoi) -> None:
    roi.roitype = ROI_TYPE.RECT
    roi.multi_coordinates = np.concatenate([_segments(ring) for ring in rings])
    roi.shape_roi_size = len(roi.multi_coordinates)


def _apart(parts: list[list[Points]]) -> list[Points]:
    """The rings of the area that the parts cover; ImageJ leaves out what an even number of rings goes around."""
    geometry = shapely.MultiPolygon([(outer, holes) for outer, *holes in parts])
    if not geometry.is_valid:
        geometry = covered(geometry)
    turned = shapely.orient_polygons(geometry)
    return [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(shapely.get_parts(turned))]


def _segments(ring: Points) -> NDArray[np.float32]:
    """As ImageJ keeps them, in one flat array."""
    segments = np.column_stack([np.full(len(ring), LINE), ring])
    segments[0, 0] = MOVE
    return np.append(segments.reshape(-1), CLOSE).astype(np.float32)


def _escaped(text: str) -> str:
    """The text in a line of java.util.Properties, which ImageJ reads byte by byte."""
    return re.sub(r"^ |[^ -\[\]-~]", lambda found: _codes(found[0]), text)


def _codes(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
