"""Images with everything that an archive has to explain, for the tests of the guide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exports.archive.dataset import Image, Objects
from tests.exports.archive.builders import image_of, objects_of, square

NAMES = (
    "=a #1 50%.png",
    "b & 'c' \"d\" <e>.png",
    "ünï 细胞 🧫.png",
    "[f](g) `h` ?i=j.png",
    "~ k|l.png",
)
HOSTILE = (
    "</title><script>alert(1)</script>.png",
    "<img src=x onerror=alert(1)>.png",
    "\"><svg onload='alert(1)'>.png",
    "&amp;&lt; %2e%2e %.png",
    "\u202egnp.exe",
    "a" * 255,
)
FORBIDDEN = str.maketrans('<>"?|', "_____")


def varied(folder: Path, names: Sequence[str] = NAMES) -> list[Image]:
    """With a hole, two parts, scores, an overlap; the last has no objects."""
    folder.mkdir(exist_ok=True)
    everything = objects_of(
        [[square(2, 2, 20), square(6, 6, 5)]],
        [[square(30, 2, 10)], [square(45, 2, 8)]],
        [[square(4.25, 25.5, 15)]],
        [[square(10, 30, 15)]],
        scores=[0.9, 0.8, 0.7, 0.6],
    )
    images = [_named(name, number, folder, everything) for number, name in enumerate(names[:-1], 1)]
    return [*images, _named(names[-1], len(names), folder, objects_of())]


def _named(name: str, number: int, folder: Path, objects: Objects) -> Image:
    safe = name.translate(FORBIDDEN)
    image = image_of(objects, folder, number=number, name=safe, stem=Path(safe).stem)
    return replace(image, original_name=name)
