"""The baseline's measurements: shapely, an object at a time, and OpenCV for what shapely lacks."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from shapely.geometry import Polygon


def measured(cell: dict[str, Any], scale: float) -> dict[str, Any]:
    """The product's columns; lengths times `scale`, areas times its square."""
    outer, *holes = cell["rings"]
    polygon = Polygon(outer, holes)
    hull = polygon.convex_hull
    left, top, right, bottom = polygon.bounds
    area, length, around = polygon.area, polygon.exterior.length, polygon.length
    diameter, roundness = math.sqrt(4 * area / math.pi), 4 * math.pi * area / around**2
    return {
        "class": cell["class"],
        "score": cell["score"],
        "area": area * scale**2,
        "perimeter": length * scale,
        "perimeter_with_holes": around * scale,
        "equivalent_diameter": diameter * scale,
        "circularity": min(1.0, roundness),
        "compactness": 1 / roundness,
        "sphericity": math.pi * diameter / around,
        "convexity": hull.length / length,
        "solidity": area / hull.area,
        "extent": area / ((right - left) * (bottom - top)),
        "bbox_x": left * scale,
        "bbox_y": top * scale,
        "bbox_width": (right - left) * scale,
        "bbox_height": (bottom - top) * scale,
        "centroid_x": polygon.centroid.x * scale,
        "centroid_y": polygon.centroid.y * scale,
        **_ferets(np.array(hull.exterior.coords), scale),
        **_axes(np.array(outer, np.float32), scale),
    }


def _ferets(corners: np.ndarray[Any, np.dtype[np.float64]], scale: float) -> dict[str, float]:
    spans = corners[:, None] - corners[None]
    lengths = np.hypot(spans[..., 0], spans[..., 1])
    longest = np.unravel_index(lengths.argmax(), lengths.shape)
    x, y = spans[longest]
    _, sides, _ = cv2.minAreaRect(corners.astype(np.float32))
    largest, smallest = float(lengths.max()), min(sides)
    across = corners @ np.array([-y, x]) / largest
    return {
        "feret_max": largest * scale,
        "feret_min": smallest * scale,
        "feret_angle": math.degrees(math.atan2(-y, x)) % 180,
        "feret_aspect_ratio": largest / smallest,
        "feret_max_orthogonal": float(across.max() - across.min()) * scale,
    }


def _axes(outer: np.ndarray[Any, np.dtype[np.float32]], scale: float) -> dict[str, float]:
    _, (minor, major), angle = cv2.fitEllipse(outer)
    return {
        "major_axis": major * scale,
        "minor_axis": minor * scale,
        "orientation": angle,
        "eccentricity": math.sqrt(max(0.0, 1 - (minor / major) ** 2)),
        "aspect_ratio": major / minor,
        "roundness": minor / major,
    }
