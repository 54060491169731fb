"""The standard projects: images of 1024 x 1024 pixels, six in ten grey PNG, two RGB PNG, two JPEG."""

from __future__ import annotations

from dataclasses import dataclass

OPTIONS = {"annotationFormats": ["coco", "json"], "metricsFormats": ["excel", "csv", "json"]}
"""What every side exports, besides originals and PNG overlays."""


@dataclass(frozen=True)
class Size:
    name: str
    images: int
    pixels: int = 1024
    """Width and height of each image."""
    objects: int = 150
    """Objects an image, of 40 to 80 vertices; three in a hundred have a hole."""


SIZES = {
    size.name: size
    for size in (
        Size("quick", 3, pixels=128, objects=6),
        Size("S", 20),
        Size("M", 200),
        Size("L", 1_000),
        Size("XL", 10_000),
        Size("dense", 20, objects=3_000),
        Size("big", 4, pixels=8_192),
        Size("tenth", 1_000, pixels=512),
        Size("large", 10_000, pixels=512),
    )
}
