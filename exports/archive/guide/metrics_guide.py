"""documentation/METRICS.md and metrics/columns.csv: what the numbers are, from the table that made them."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from exports.archive.cells import csv_row
from exports.archive.columns import (
    COLUMN_HEADERS,
    IMAGE_COLUMNS,
    Column,
    column_rows,
    described,
    object_columns,
)
from exports.archive.dataset import Dataset
from exports.archive.zipping import Entry

UNITS = {
    "µm": "Every image has a scale: lengths are in µm, areas in µm².",
    "px": "No image has a scale: lengths are in pixels (px), areas in square pixels (px²).",
    "mixed": (
        "Some images have a scale and some have none. The column `unit` says for each row whether its lengths"
        " are in µm or in pixels (px); headers say `[unit]` and `[unit²]`. Do not average over both."
    ),
}

CONVENTIONS = """\
- Shapes are computed in double precision on the exact polygon with its holes, not on a mask of pixels.
- `(0, 0)` is the top-left corner of the first pixel; x grows to the right, y downwards; pixel k spans
  [k, k + 1].
- Lengths are multiplied by the pixel size of the image, areas by its square. Ratios and angles have no scale.
- An object may have several parts: areas and perimeters are summed over them; its convex hull is around all.
- Angles are in degrees, from 0 up to 180, anticlockwise from the x axis as seen on the screen.
- An empty cell (`null` in JSON) is a value that does not exist: a ratio of an object without area, the
  direction of a circle. An outline that crosses itself is measured by the same formulas: its lobes that turn
  the other way count as negative.
"""

DIFFERENCES = """\
| here | scikit-image `regionprops` | ImageJ "Set Measurements" |
|---|---|---|
| area: of the polygon | number of pixels whose centre is inside | the same number of pixels |
| perimeter: of the polygon | estimated from the pixels of the border (a 10 × 10 square: 36 instead of 40) | \
of the polygon; 0.59 less for each corner where all edges are horizontal or vertical (37.66) |
| circularity: with the holes' rings | no such measure | the same formula, with its perimeter |
| feret_max, feret_min: of the convex hull \
| `feret_diameter_max` of the outline at half height; no minimum | \
Feret, MinFeret: the same |
| feret_angle | no such measure | FeretAngle: the same |
| major_axis, minor_axis: 4·√eigenvalue | `axis_major_length`, `axis_minor_length`: the same, from pixels | \
Major, Minor: the same ellipse, scaled to the area of the object |
| orientation: degrees from the x axis | radians from the y axis: degrees + 90, modulo 180, is ours | \
Angle: the same |
| aspect_ratio, roundness: of that ellipse | no such measure | AR, Round: the same, the scale cancels |
| solidity: polygon / hull of the polygon | pixels / hull of pixels | pixels / polygon hull: may exceed 1 |
| bounding box: largest − smallest coordinate | whole pixels | whole pixels |
"""

INTENSITIES = """\
- The values are those of the image file, at its full depth and of its first page, whatever the overlay shows of
  them. Nothing is taken away as background.
- Channels stand in the order of the file: one for grey, three for red, green and blue. Palettes are resolved to
  their colours, CMYK is converted to red, green and blue; transparency is no channel. An image with fewer
  channels than the table has empty cells in the others; of an image with more than 32, the first 32 are measured.
- A pixel counts for an object when its centre lies inside the outline and in none of its holes, also where another
  object covers it. An object that covers no centre of a pixel has empty cells.
- Pixels that are not a number or infinite are left out; an object with no others has empty cells.
- An image whose file cannot be decoded has empty cells and is listed as left out; its shapes are measured.

| here | scikit-image `regionprops` | ImageJ "Set Measurements" |
|---|---|---|
| intensity_mean, intensity_min, intensity_max | `intensity_mean`, `intensity_min`, `intensity_max`: the same | \
Mean, Min, Max: the same |
| intensity_std: divided by n | `intensity_std`: the same | StdDev: divided by n − 1 |
| intensity_median | `intensity_median`: the same | Median: of a histogram, without a mean of the middle two |
| intensity_integrated: the sum | no such measure | RawIntDen: the same; IntDen is area · Mean |
"""

SOURCES = """\
- Area, centroid, second moments: C. Steger, "On the calculation of arbitrary moments of polygons", 1996.
- Caliper widths: M. I. Shamos, "Computational geometry", 1978; G. T. Toussaint, "Solving geometric problems
  with the rotating calipers", 1983.
- Circularity: E. P. Cox, "A method of assigning numerical and percentage values to the degree of roundness
  of sand grains", Journal of Paleontology 1, 1927. Sphericity: here for plane figures, after H. Wadell, 1932.
- scikit-image: documentation of `skimage.measure.regionprops`. ImageJ: user guide, "Set Measurements".
"""


def metrics_entries(dataset: Dataset) -> Iterator[Entry]:
    """What belongs to the measurements once, whichever tables were chosen."""
    yield Entry("metrics/columns.csv", columns_csv(dataset))
    yield Entry("documentation/METRICS.md", metrics_guide(dataset))


def columns_csv(dataset: Dataset) -> bytes:
    rows = [COLUMN_HEADERS, *column_rows(dataset.unit, dataset.channels)]
    return codecs.BOM_UTF8 + b"".join(csv_row(row) for row in rows)


def metrics_guide(dataset: Dataset) -> bytes:
    """METRICS.md, UTF-8."""
    sections = (
        ("# Measurements", UNITS[dataset.unit] + _override(dataset)),
        ("## Conventions", CONVENTIONS),
        ("## A row for each object", _table(object_columns(dataset.channels), dataset.unit)),
        ("## A row for each image", _table(IMAGE_COLUMNS, dataset.unit)),
        *_intensities(dataset),
        ("## Against scikit-image and ImageJ", DIFFERENCES),
        ("## Sources", SOURCES),
    )
    return "\n".join(f"{heading}\n\n{text.strip()}\n" for heading, text in sections).encode()


def _intensities(dataset: Dataset) -> Iterator[tuple[str, str]]:
    if dataset.channels:
        yield "## Intensities", INTENSITIES


def _override(dataset: Dataset) -> str:
    if dataset.scale_override is None:
        return ""
    return f" The scale of {dataset.scale_override:g} µm per pixel was given with the export, for all images."


def _table(columns: tuple[Column, ...], length: str) -> str:
    rows = [
        f"| {column['column']} | {column['unit']} | {column['definition']} |"
        for column in described(columns, length)
    ]
    return "\n".join(["| column | unit | definition |", "|---|---|---|", *rows])
