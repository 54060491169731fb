"""All measurements of the objects of an image, computed once: shapes exactly on their polygons.

Lengths are multiplied by the pixel size, areas by its square; without one they stay in pixels. Intensities, where
they are asked for, are those of the original pixel values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from exports.archive import geometry
from exports.archive.columns import IMAGE_MEASURES, MEASURES, Column
from exports.archive.dataset import Dataset, Image, Indexes, LeftOut, Objects
from exports.archive.geometry import Hulls, Values
from exports.archive.intensity import MAX_CHANNELS, STATISTICS, intensities
from exports.archive.labels import Checkpoint
from imagefiles.headers import UnreadableImage
from imagefiles.values import original_values

SAME_AXES = 1e-10
"""Eigenvalues that differ by less, relative to their mean, differ by rounding only."""

_known: WeakKeyDictionary[Image, dict[int, Measurements]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured in one image; NaN where a value does not exist."""

    unit: str
    """"µm" or "px"."""
    objects: NDArray[np.float64]
    """(N, M): one row an object in stored order, columns as in `object_measures`."""
    image: NDArray[np.float64]
    """(K,): columns as in IMAGE_MEASURES."""
    fault: str = ""
    """A sentence that says why there are no intensities where there should be some."""


def measurements_of(image: Image, dataset: Dataset) -> Measurements:
    """Measured once, however many writers ask; forgotten with the image."""
    known = _known.setdefault(image, {})
    if dataset.channels not in known:
        known[dataset.channels] = measure(image, dataset.channels, dataset.checkpoint)
    return known[dataset.channels]


def left_out_of(image: Image, dataset: Dataset) -> Iterator[LeftOut]:
    """The intensities of the image, where its pixels cannot be read: the shapes are measured all the same."""
    if dataset.channels and (fault := measurements_of(image, dataset).fault):
        sentence = f"Intensities: {fault.rstrip('.')}."
        yield LeftOut(image.image_id, image.original_name, "metrics/intensity", "image_unreadable", sentence)


def measure(image: Image, channels: int = 0, checkpoint: Checkpoint = lambda: None) -> Measurements:
    """Shapes, and intensities in so many channels. Never raise for the shape of a polygon, or for a file."""
    shapes = _measured_shapes(image)
    if not channels:
        return shapes
    missing = np.full((len(image.objects), channels * STATISTICS), np.nan)
    try:
        known, fault = _intensities(image, channels, checkpoint), ""
    except UnreadableImage as error:
        known, fault = missing[:, :0], str(error)
    columns = (shapes.objects, known, missing[:, known.shape[1] :])
    return replace(shapes, objects=np.hstack(columns), fault=fault)


def _intensities(image: Image, channels: int, checkpoint: Checkpoint) -> NDArray[np.float64]:
    """(N, ≤ channels · STATISTICS): of the channels that the image has. Raise UnreadableImage."""
    if not len(image.objects):
        return np.empty((0, 0))
    pixels = original_values(image.original, width=image.width, height=image.height)
    if min(pixels.shape[2], MAX_CHANNELS) > channels:
        raise UnreadableImage("The image has more channels than its header says.")
    found = intensities(image.objects, pixels[:, :, :channels], checkpoint)
    found[np.isinf(found)] = np.nan
    return found


def _measured_shapes(image: Image) -> Measurements:
    in_pixels = shapes(image.objects)
    scale = 1.0 if image.pixel_size is None else image.pixel_size
    values = np.column_stack([in_pixels[column.name] for column in MEASURES]) * _factors(MEASURES, scale)
    values[np.isinf(values)] = np.nan
    return Measurements(
        unit="px" if image.pixel_size is None else "µm",
        objects=values,
        image=_image_row(image, in_pixels["area"]) * _factors(IMAGE_MEASURES, scale),
    )


def shapes(objects: Objects) -> dict[str, Values]:
    """Every measure of MEASURES in pixels, (N,) each. Sums run over the parts of an object."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        measured = _outline(objects)
        integrals = _integrals(objects, measured["bbox_x"], measured["bbox_y"])
        measured["area"] = integrals[:, 0]
        measured |= _hull(objects, measured["perimeter"], measured["area"])
        measured |= _ellipse(integrals, measured["bbox_x"], measured["bbox_y"])
        measured |= _ratios(measured)
    has_no_area = ~(measured["area"] > 0)
    for column in MEASURES:
        if column.kind == "ratio":
            measured[column.name] = np.where(
                has_no_area | ~np.isfinite(measured[column.name]), np.nan, measured[column.name]
            )
    return measured


def _outline(objects: Objects) -> dict[str, Values]:
    lengths = geometry.perimeters(objects.points, objects.ring_starts)
    outer = np.where(objects.ring_is_hole, 0.0, lengths)
    box = geometry.bounds(objects.points, objects.ring_starts[objects.object_rings])
    return {
        "perimeter": _per_object(outer, objects),
        "perimeter_with_holes": _per_object(lengths, objects),
        "bbox_x": box[:, 0],
        "bbox_y": box[:, 1],
        "bbox_width": box[:, 2] - box[:, 0],
        "bbox_height": box[:, 3] - box[:, 1],
    }


def _integrals(objects: Objects, left: Values, top: Values) -> NDArray[np.float64]:
    """(N, 6): moments of the area, holes taken away, about the corner of each bounding box."""
    owners = _point_objects(objects)
    local = objects.points - np.column_stack([left, top])[owners]
    of_rings = geometry.ring_moments(local, objects.ring_starts)
    of_rings *= np.where(objects.ring_is_hole, -1.0, 1.0)[:, None]
    return _per_object(of_rings, objects)


def _hull(objects: Objects, perimeter: Values, area: Values) -> dict[str, Values]:
    if not len(objects):
        names = ("convexity", "solidity", "feret_max", "feret_min", "feret_angle", "feret_max_orthogonal")
        return dict.fromkeys(names, np.empty(0))
    is_used = np.repeat(~objects.ring_is_hole, np.diff(objects.ring_starts))
    is_used &= geometry.may_be_corners(objects.points, objects.ring_starts)
    hulls = Hulls.of(objects.points[is_used], _point_objects(objects)[is_used])
    widths = geometry.ferets(hulls)
    convexity = hulls.perimeters() / perimeter
    return {
        "convexity": np.where(convexity > 1 + 1e-9, np.nan, np.minimum(convexity, 1.0)),
        "solidity": area / hulls.areas(),
        "feret_max": widths.largest,
        "feret_min": widths.smallest,
        "feret_angle": widths.angle,
        "feret_max_orthogonal": widths.across,
    }


def _ellipse(integrals: NDArray[np.float64], left: Values, top: Values) -> dict[str, Values]:
    """The ellipse with the same second central moments; NaN without an area or with impossible moments."""
    area = integrals[:, 0]
    mean_x, mean_y, xx, xy, yy = np.where(area > 0, integrals[:, 1:].T, np.nan) / area
    variance_x, variance_y = xx - mean_x**2, yy - mean_y**2
    covariance = xy - mean_x * mean_y
    half_sum = (variance_x + variance_y) / 2
    half_gap = np.hypot((variance_x - variance_y) / 2, covariance)
    half_gap = np.where(half_gap > SAME_AXES * half_sum, half_gap, 0.0)
    # The image's y grows downwards, angles are given as seen on the screen: hence the minus.
    angle = geometry.folded(np.degrees(np.arctan2(-2 * covariance, variance_x - variance_y) / 2))
    return {
        "major_axis": 4 * np.sqrt(half_sum + half_gap),
        "minor_axis": 4 * np.sqrt(half_sum - half_gap),
        "orientation": np.where(half_gap > 0, angle, np.nan),
        "eccentricity": np.sqrt(2 * half_gap / (half_sum + half_gap)),
        "centroid_x": left + mean_x,
        "centroid_y": top + mean_y,
    }


def _ratios(measured: dict[str, Values]) -> dict[str, Values]:
    area, around = measured["area"], measured["perimeter_with_holes"]
    major, minor = measured["major_axis"], measured["minor_axis"]
    diameter = np.sqrt(4 * area / np.pi)
    roundness = 4 * np.pi * area / around**2
    return {
        "equivalent_diameter": diameter,
        "circularity": np.minimum(roundness, 1.0),
        "compactness": 1 / roundness,
        "sphericity": np.pi * diameter / around,
        "extent": area / (measured["bbox_width"] * measured["bbox_height"]),
        "feret_aspect_ratio": measured["feret_max"] / measured["feret_min"],
        "aspect_ratio": major / minor,
        "roundness": minor / major,
    }


def _image_row(image: Image, areas: Values) -> Values:
    count, total = len(areas), float(areas.sum())
    surface = image.width * image.height
    scale = np.nan if image.pixel_size is None else image.pixel_size
    values = {
        "pixel_size": scale,
        "width": image.width,
        "height": image.height,
        "object_count": count,
        "total_area": total,
        "mean_area": total / count if count else np.nan,
        "area_fraction": total / surface,
        "objects_per_mm2": count / (surface * scale**2) * 1e6,
    }
    return np.array([values[column.name] for column in IMAGE_MEASURES], np.float64)


def _factors(columns: tuple[Column, ...], scale: float) -> Values:
    return np.array([scale**column.power for column in columns])


def _per_object(of_rings: NDArray[np.float64], objects: Objects) -> NDArray[np.float64]:
    if not len(objects):
        return of_rings
    sums: NDArray[np.float64] = np.add.reduceat(of_rings, objects.object_rings[:-1], axis=0)
    return sums


def _point_objects(objects: Objects) -> Indexes:
    """(P,): the index of the object that each point belongs to."""
    return np.repeat(objects.ring_objects, np.diff(objects.ring_starts))
