"""The one table of what is measured: headers, columns.csv, METRICS.md and the sheet Columns come from it.

A header names the unit, and the unit of a length is only known from the images. The dataset says before
the pass whether they agree, so the header is decided once: "area (µm²)" or "area (px²)". Where some
images have a scale and some have none, no header can name the unit of all rows: it says "area [unit²]",
and the column `unit`, which every table has, says "µm" or "px" for each row.

Intensities have six columns a channel, as many channels as the image with the most has; none unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "count", "ratio", "angle", "length", "area", "density", "scale", "intensity"]

_POWERS: dict[Kind, int] = {"length": 1, "area": 2}
_FIXED_UNITS: dict[Kind, str] = {"angle": "°", "density": "1/mm²", "scale": "µm/px"}


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    definition: str

    @property
    def power(self) -> int:
        """The power of the pixel size that this column is multiplied by."""
        return _POWERS.get(self.kind, 0)

    def unit(self, length: str) -> str:
        """Its unit where lengths are in `length` ("µm", "px" or, for a mixture, "unit"); "" without one."""
        if not self.power:
            return _FIXED_UNITS.get(self.kind, "")
        return length if self.power == 1 else f"{length}²"

    def header(self, length: str) -> str:
        """Its name and unit; `length` is "µm", "px" or "mixed"."""
        if length == "mixed" and self.power:
            return f"{self.name} [{self.unit('unit')}]"
        unit = self.unit(length)
        return f"{self.name} ({unit})" if unit else self.name


OBJECT_LABELS = (
    Column("image", "text", "the name that the image was uploaded with"),
    Column("image_id", "text", "the id of the image in the hub (UUID)"),
    Column("object_id", "count", "1..n within the image, in stored order; the same in every file"),
    Column("class", "text", "the name of the object's class"),
    Column("score", "ratio", "the confidence of the segmentation, 0 to 1; empty where there is none"),
    Column("unit", "text", "what lengths of this row are in: µm with a scale, px without"),
)

MEASURES = (
    Column("area", "area", "A: area of the outer rings minus the area of the holes"),
    Column("perimeter", "length", "P: length of the outer rings"),
    Column("perimeter_with_holes", "length", "Pw: P plus the length of the rings of the holes"),
    Column("equivalent_diameter", "length", "diameter of the circle of area A: √(4A/π)"),
    Column("circularity", "ratio", "4πA/Pw², at most 1; a circle has 1"),
    Column("compactness", "ratio", "Pw²/(4πA); a circle has 1, everything else more"),
    Column("sphericity", "ratio", "π·equivalent_diameter/Pw"),
    Column(
        "convexity",
        "ratio",
        "perimeter of the convex hull / P, at most 1; empty where parts lie too far apart for that",
    ),
    Column("solidity", "ratio", "A / area of the convex hull"),
    Column("extent", "ratio", "A/(bbox_width·bbox_height)"),
    Column("bbox_x", "length", "left edge of the bounding box, from the left edge of the image"),
    Column("bbox_y", "length", "top edge of the bounding box, from the top edge of the image"),
    Column("bbox_width", "length", "largest x − smallest x"),
    Column("bbox_height", "length", "largest y − smallest y"),
    Column("feret_max", "length", "largest caliper width: largest distance of two points of the convex hull"),
    Column("feret_min", "length", "smallest caliper width: of two parallel lines around the hull"),
    Column(
        "feret_angle",
        "angle",
        "direction of feret_max, 0 to 180, anticlockwise from the x axis as seen on the screen;"
        " the smallest where several directions are equally wide",
    ),
    Column("feret_aspect_ratio", "ratio", "feret_max/feret_min"),
    Column("feret_max_orthogonal", "length", "caliper width across the direction of feret_max"),
    Column(
        "major_axis",
        "length",
        "long axis of the ellipse with the second central moments of the area: 4·√(larger eigenvalue)",
    ),
    Column("minor_axis", "length", "short axis of the same ellipse: 4·√(smaller eigenvalue)"),
    Column(
        "orientation",
        "angle",
        "direction of major_axis, 0 to 180, anticlockwise from the x axis as seen on the screen;"
        " empty where both axes are equally long",
    ),
    Column("eccentricity", "ratio", "√(1 − (minor_axis/major_axis)²); a circle has 0"),
    Column("aspect_ratio", "ratio", "major_axis/minor_axis (AR of ImageJ)"),
    Column("roundness", "ratio", "minor_axis/major_axis (Round of ImageJ)"),
    Column("centroid_x", "length", "x of the centre of A, from the left edge of the image"),
    Column("centroid_y", "length", "y of the centre of A, from the top edge of the image"),
)

_CHANNELS = {1: " (grey or red)", 2: " (green)", 3: " (blue)"}
_INTENSITIES = {
    "mean": "mean of the pixel values",
    "std": "standard deviation of the pixel values: √(mean of (value − mean)²), divided by n and not by n − 1",
    "min": "smallest pixel value",
    "max": "largest pixel value",
    "median": "middle one of the pixel values in order; the mean of the middle two where their number is even",
    "integrated": "sum of the pixel values (RawIntDen of ImageJ)",
}

IMAGE_LABELS = (
    Column("image", "text", "the name that the image was uploaded with"),
    Column("image_id", "text", "the id of the image in the hub (UUID)"),
    Column("unit", "text", "what lengths of this row are in: µm with a scale, px without"),
)

IMAGE_MEASURES = (
    Column("pixel_size", "scale", "the length of a side of a pixel; empty without a scale"),
    Column("width", "length", "width of the image"),
    Column("height", "length", "height of the image"),
    Column("object_count", "count", "number of objects"),
    Column("total_area", "area", "sum of the areas of the objects"),
    Column("mean_area", "area", "total_area/object_count; empty without objects"),
    Column(
        "area_fraction",
        "ratio",
        "total_area / area of the image (confluence); overlaps count once for each object",
    ),
    Column("objects_per_mm2", "density", "object_count / area of the image in mm²; empty without a scale"),
)

IMAGE_COLUMNS = IMAGE_LABELS + IMAGE_MEASURES


def object_columns(channels: int) -> tuple[Column, ...]:
    """Of a table with a row for each object; `channels` is the dataset's."""
    return OBJECT_LABELS + object_measures(channels)


def object_measures(channels: int) -> tuple[Column, ...]:
    """What is measured of each object: its shape, then its intensities, channel after channel."""
    return MEASURES + tuple(
        Column(
            f"intensity_{name}_c{channel}",
            "intensity",
            f"channel {channel}{_CHANNELS.get(channel, '')}: {text}",
        )
        for channel in range(1, channels + 1)
        for name, text in _INTENSITIES.items()
    )


def headers(columns: tuple[Column, ...], length: str) -> list[str]:
    """The header row of a table; `length` is the dataset's unit."""
    return [column.header(length) for column in columns]


COLUMN_HEADERS = ("table", "column", "header", "unit", "kind", "definition")


def column_rows(length: str, channels: int) -> Iterator[tuple[str, ...]]:
    """What COLUMN_HEADERS promises, for every column of the tables."""
    for table, columns in (("objects", object_columns(channels)), ("images", IMAGE_COLUMNS)):
        for column in described(columns, length):
            yield table, *column.values()


def described(columns: tuple[Column, ...], length: str) -> list[dict[str, str]]:
    """Each column as text, in the order of COLUMN_HEADERS; `length` is the dataset's unit."""
    return [
        {
            "column": column.name,
            "header": column.header(length),
            "unit": column.unit("unit" if length == "mixed" else length),
            "kind": column.kind,
            "definition": column.definition,
        }
        for column in columns
    ]
