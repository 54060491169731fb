"""The parts of an archive: which formats exist and what each can hold.

Nothing heavy is imported here, so that pages and options can show the list; a part's module is loaded when
its writer is asked for. To add a format: write its module with a Writer that is made of a Dataset, list it
here, test it with a foreign reader. The module's docstring becomes its chapter in `documentation/FORMATS.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Literal, Protocol, cast

if TYPE_CHECKING:
    from exports.archive.dataset import Dataset, Image
    from exports.archive.zipping import Entry


_WORDS = {
    "holes": "holes",
    "parts": "several parts",
    "overlaps": "overlaps",
    "absent": "objects without a pixel",
    "scores": "scores",
}


class Writer(Protocol):
    """Fed every image once, in order; holds nothing in memory that grows with the project.

    One that writes objects counts in `objects` those that it has written: they are compared with those read.
    One that finds out while it draws what its format cannot show counts it in `lost`, by the words of
    `Format.losses`.
    """

    def add(self, image: Image) -> Iterator[Entry]:
        """The entries that this image completes."""
        ...

    def finish(self) -> Iterator[Entry]:
        """The entries that needed all images."""
        ...


@dataclass(frozen=True)
class Format:
    kind: Literal["images", "annotations", "metrics"]
    id: str
    """Unique within its kind."""
    title: str
    description: str
    """One sentence for the page; what the format holds and who reads it."""
    files: tuple[str, ...]
    """The paths that it writes in the archive; `<stem>` and `<name>` stand for an image's."""
    losses: tuple[str, ...]
    """What it cannot hold: of `holes`, `parts`, `overlaps`, `absent`, `scores`."""
    maker: str
    """`module:name` of what makes its writer from a dataset."""

    @property
    def cannot_hold(self) -> list[str]:
        """Its losses in words for the page."""
        return [_WORDS[loss] for loss in self.losses]

    @property
    def key(self) -> str:
        """Unique among all parts: `annotations/json`."""
        return f"{self.kind}/{self.id}"

    def writer(self, dataset: Dataset) -> Writer:
        name = self.maker.partition(":")[2]
        return cast(Writer, getattr(self._module(), name)(dataset))

    def documentation(self) -> str:
        """The docstring of its module: the conventions of the format, in Markdown."""
        return (self._module().__doc__ or "").strip()

    def _module(self) -> ModuleType:
        return import_module(self.maker.partition(":")[0])


def preload() -> None:
    """Load every part and its libraries: in a parent, before it forks."""
    for part in PARTS:
        part.documentation()


ANNOTATIONS = (
    Format(
        kind="annotations",
        id="coco",
        title="COCO",
        description="COCO instances: polygons, and run-length encoded masks for objects with holes.",
        files=("annotations/coco/annotations.json",),
        losses=(),
        maker="exports.archive.formats.coco:Coco",
    ),
    Format(
        kind="annotations",
        id="yolo",
        title="YOLO segmentation",
        description="One line per object with its outline, to train Ultralytics' YOLO with; holes are filled, parts joined.",
        files=(
            "annotations/yolo/data.yaml",
            "annotations/yolo/classes.txt",
            "annotations/yolo/labels/<stem>.txt",
        ),
        losses=("holes", "parts", "absent", "scores"),
        maker="exports.archive.formats.yolo:Yolo",
    ),
    Format(
        kind="annotations",
        id="json",
        title="JSON (lossless)",
        description="Everything that is stored, with holes and their parents, and a JSON Schema.",
        files=("annotations/json/segmentation_data.json", "annotations/json/schema.json"),
        losses=(),
        maker="exports.archive.formats.native:Native",
    ),
    Format(
        kind="annotations",
        id="cvat",
        title="CVAT",
        description="CVAT for images 1.1, to upload to a task: polygons, and masks for objects with holes or several parts.",
        files=("annotations/cvat/annotations.xml",),
        losses=("absent",),
        maker="exports.archive.formats.cvat:Cvat",
    ),
    Format(
        kind="annotations",
        id="imagej",
        title="ImageJ ROIs",
        description="One ROI set per image for the ROI Manager: sub-pixel polygons, composite ROIs for holes and parts.",
        files=("annotations/imagej/<stem>_RoiSet.zip",),
        losses=(),
        maker="exports.archive.formats.imagej:ImageJ",
    ),
    Format(
        kind="annotations",
        id="geojson",
        title="GeoJSON (QuPath)",
        description="Polygons with holes, classes, scores and measurements, one file per image, as QuPath imports it.",
        files=("annotations/geojson/<stem>.geojson",),
        losses=(),
        maker="exports.archive.formats.geojson:GeoJson",
    ),
    Format(
        kind="annotations",
        id="masks",
        title="Label masks (TIFF)",
        description="One TIFF per image whose pixels hold the number of their object; for ImageJ, scikit-image, CellProfiler.",
        files=("annotations/masks/<stem>_labels.tif",),
        losses=("overlaps", "absent", "scores"),
        maker="exports.archive.formats.masks:Masks",
    ),
    Format(
        kind="annotations",
        id="cellpose",
        title="Cellpose",
        description="Masks as Cellpose's own window saves and opens them, to correct objects there or to train with them.",
        files=("annotations/cellpose/<stem>_seg.npy",),
        losses=("overlaps", "absent", "scores"),
        maker="exports.archive.formats.cellpose:Cellpose",
    ),
    Format(
        kind="annotations",
        id="labelme",
        title="labelme",
        description="One file per image for labelme, to correct outlines by hand; the parts of an object are a group.",
        files=("annotations/labelme/<stem>.json",),
        losses=("holes", "scores"),
        maker="exports.archive.formats.labelme:Labelme",
    ),
)

METRICS = (
    Format(
        kind="metrics",
        id="excel",
        title="Spreadsheet (XLSX)",
        description="One workbook: a row per object, a row per image, a summary, and what the columns mean.",
        files=("metrics/metrics.xlsx",),
        losses=(),
        maker="exports.archive.formats.tables:ExcelWriter",
    ),
    Format(
        kind="metrics",
        id="csv",
        title="Table (CSV)",
        description="One table, a row per object: UTF-8, the unit in the header.",
        files=("metrics/metrics.csv",),
        losses=(),
        maker="exports.archive.formats.tables:CsvWriter",
    ),
    Format(
        kind="metrics",
        id="json",
        title="Table (JSON)",
        description="Each image with its own measures and, for each measure, an array with a value per object.",
        files=("metrics/metrics.json",),
        losses=(),
        maker="exports.archive.formats.tables:JsonWriter",
    ),
    Format(
        kind="metrics",
        id="parquet",
        title="Table (Parquet)",
        description="The rows of the CSV with typed columns: quick to load in Python, R, MATLAB or DuckDB, however many.",
        files=("metrics/metrics.parquet",),
        losses=(),
        maker="exports.archive.formats.parquet:ParquetWriter",
    ),
)

ORIGINALS = Format(
    kind="images",
    id="originals",
    title="Original images",
    description="The images as they were uploaded, byte for byte.",
    files=("images/<name>",),
    losses=(),
    maker="exports.archive.formats.originals:Originals",
)

OVERLAYS = Format(
    kind="images",
    id="overlays",
    title="Overlays",
    description="Pictures of the objects drawn on their image, each with its number.",
    files=("visualizations/<stem>_overlay.png", "visualizations/<stem>_overlay.jpg"),
    losses=(),
    maker="exports.archive.overlay:Overlays",
)

PARTS = (ORIGINALS, OVERLAYS, *ANNOTATIONS, *METRICS)
"""In the order in which they are written."""

annotation_formats = {part.id: part for part in ANNOTATIONS}
metrics_formats = {part.id: part for part in METRICS}
