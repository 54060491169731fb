"""README.md: what is in the archive and how to load each part, from what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exports.archive.dataset import Dataset, LeftOut
from exports.archive.formats import ORIGINALS, Format
from exports.archive.guide import PROGRAM, Contents
from exports.archive.guide.formats_guide import LOSSES
from exports.archive.guide.inventory import EXPLAINING
from exports.archive.guide.markdown import escaped
from exports.archive.zipping import Entry

LOADING = {
    "images/originals": """\
Their names are the user's, made safe for every file system; `names.csv` has both.

```python
import csv
with open("names.csv", encoding="utf-8-sig", newline="") as file:
    original_names = {row["name"]: row["original_name"] for row in csv.DictReader(file)}
```""",
    "images/overlays": "For looking at. The number of an object is its `object_id` in every other file.",
    "annotations/coco": """\
```python
from pycocotools.coco import COCO
coco = COCO("annotations/coco/annotations.json")
objects = coco.imgToAnns[min(coco.imgs)]
masks = {each["attributes"]["object_id"]: coco.annToMask(each) for each in objects}
```""",
    "annotations/yolo": """\
To train with Ultralytics, copy `images/` into `annotations/yolo/`, because it looks for labels beside the images. Divide
them before: `train` and `val` are both all of them. Other programs take each folder from where it is:

```python
import supervision
dataset = supervision.DetectionDataset.from_yolo(
    images_directory_path="images",
    annotations_directory_path="annotations/yolo/labels",
    data_yaml_path="annotations/yolo/data.yaml",
    force_masks=True,
)
```""",
    "annotations/json": """\
```python
import json
with open("annotations/json/segmentation_data.json", encoding="utf-8") as file:
    images = json.load(file)["images"]
outlines = [ring["points"] for each in images[0]["objects"] for ring in each["rings"]]
```""",
    "annotations/cvat": """\
In CVAT create a task with the files of `images/` and labels named as the classes, then Upload annotations, CVAT 1.1.

```python
from xml.etree import ElementTree
images = ElementTree.parse("annotations/cvat/annotations.xml").findall("image")
labels = {image.get("name"): [shape.get("label") for shape in image] for image in images}
```""",
    "annotations/imagej": """\
In ImageJ or Fiji drag the ZIP onto the window, or use ROI Manager › More › Open.

```python
import glob
import roifile
rois = roifile.roiread(sorted(glob.glob("annotations/imagej/*_RoiSet.zip"))[0])
outlines = {roi.name: roi.coordinates(multi=True) for roi in rois}
```""",
    "annotations/geojson": """\
In QuPath drag the file onto the opened image, or use File › Import objects from file.

```python
import glob
import json
with open(sorted(glob.glob("annotations/geojson/*.geojson"))[0], encoding="utf-8") as file:
    features = json.load(file)["features"]
```""",
    "annotations/masks": """\
```python
from glob import glob
import tifffile
from skimage.measure import regionprops
labels = tifffile.imread(sorted(glob("annotations/masks/*_labels.tif"))[0])
areas = {region.label: region.area for region in regionprops(labels)}
```""",
    "annotations/cellpose": """\
To correct objects in Cellpose, put the file beside its image and open the image.

```python
from glob import glob
import numpy
path = sorted(glob("annotations/cellpose/*_seg.npy"))[0]
saved = numpy.load(path, allow_pickle=True).item()
masks, outlines = saved["masks"], saved["outlines"]
```""",
    "annotations/labelme": """\
In labelme open the file, or start it with `labelme images --output annotations/labelme` to go through all of them.

```python
import supervision
dataset = supervision.DetectionDataset.from_labelme(
    images_directory_path="images",
    annotations_directory_path="annotations/labelme",
)
```""",
    "metrics/excel": """\
```python
import pandas
objects = pandas.read_excel("metrics/metrics.xlsx", sheet_name="Objects")
```""",
    "metrics/csv": """\
```python
import pandas
objects = pandas.read_csv("metrics/metrics.csv", encoding="utf-8-sig")
```

In R, `read.csv("metrics/metrics.csv", fileEncoding = "UTF-8-BOM", check.names = FALSE)`.""",
    "metrics/json": """\
```python
import json
with open("metrics/metrics.json", encoding="utf-8") as file:
    images = json.load(file)["images"]
objects = {image["image_id"]: image["objects"] for image in images}
```""",
    "metrics/parquet": """\
```python
import pandas
objects = pandas.read_parquet("metrics/metrics.parquet")
```""",
}

NEEDS_ORIGINALS = frozenset({"annotations/yolo", "annotations/cvat", "annotations/labelme"})
"""Parts whose programs want the images beside the annotations."""

WITHOUT_ORIGINALS = """\
The original images are not in this archive: put them into a folder `images/`, under the names that `names.csv` lists.

"""

UNITS = {
    "px": "No image has a scale: measurements are in pixels.",
    "µm": "Every image has a scale: measurements are in µm and µm².",
    "mixed": "Some images have a scale and some have none: see the unit of each measurement.",
}

CONVENTIONS = """\
## Conventions

- Coordinates are `(x, y)` in pixels; `(0, 0)` is the top-left corner of the first pixel, x grows to the
  right, y downwards.
- An object has one `object_id`, 1 to n within its image, the same in every file.
- A cell of text that a spreadsheet would run as a formula has an apostrophe in front."""

SHOWN = 20


def readme_entry(contents: Contents) -> Entry:
    sections = [_introduction(contents), _explaining(contents), "## What is in here"]
    sections += [_part(part, contents) for part in contents.parts]
    sections += [*_losses(contents), *_left_out(contents), *_repaired(contents), CONVENTIONS]
    return Entry("README.md", ("\n\n".join(sections) + "\n").encode())


def _introduction(contents: Contents) -> str:
    dataset, read = contents.dataset, contents.read
    missing = f" of {dataset.image_count:,}" if read.images < dataset.image_count else ""
    classes = ", ".join(map(escaped, dataset.class_names)) or "none"
    return (
        f"# {escaped(dataset.project_name)}\n\n"
        f"An export of {PROGRAM} {contents.program_version}.\n"
        f"Newest change of the data: {dataset.changed_at:%Y-%m-%d %H:%M} UTC.\n\n"
        f"Images: {read.images:,}{missing}. Objects: {read.objects:,}. Classes: {classes}.\n\n{scale_of(dataset)}"
    )


def scale_of(dataset: Dataset) -> str:
    """A sentence of plain text."""
    if dataset.scale_override is None:
        return UNITS[dataset.unit]
    return f"Scale of all images, as given with the export: {dataset.scale_override:g} µm per pixel."


def _explaining(contents: Contents) -> str:
    """What belongs to no part, as far as it is there."""
    lines = [f"- `{path}`: {purpose}" for path, purpose in EXPLAINING.items() if path in contents.found]
    return "## Where to begin\n\n" + "\n".join(lines)


def _part(part: Format, contents: Contents) -> str:
    files = ", ".join(f"`{path}`" for path in contents.files_of(part)) or "none"
    return f"### {part.title}\n\n{part.description}\n\nFiles: {files}\n\n{_how_to_load(part, contents)}"


def _how_to_load(part: Format, contents: Contents) -> str:
    if part.key not in contents.written:
        return "No image could be put into this part; `errors.csv` says why."
    images, promised = contents.written[part.key].images, contents.dataset.image_count
    missing = f"Of {promised:,} images {images:,} are in it; `errors.csv` says why.\n\n"
    needs_originals = part.key in NEEDS_ORIGINALS and not contents.files_of(ORIGINALS)
    return (
        (missing if images < promised else "")
        + (WITHOUT_ORIGINALS if needs_originals else "")
        + LOADING[part.key]
    )


def _losses(contents: Contents) -> Iterator[str]:
    """What formats could not hold, with counts; nothing when nothing was lost."""
    lines = [
        f"- {part.title}: {count:,} {LOSSES[loss]}"
        for part in contents.parts
        if part.key in contents.written
        for loss, count in contents.lost(part).items()
    ]
    if lines:
        yield "## What some formats could not hold\n\n" + "\n".join(lines)


def _left_out(contents: Contents) -> Iterator[str]:
    if contents.left_out:
        yield "## Left out\n\nAll of it is in `errors.csv`.\n\n" + _listed(contents.left_out)


def _repaired(contents: Contents) -> Iterator[str]:
    if contents.repaired:
        yield "## Repaired\n\nAll of it is in `errors.csv`.\n\n" + _listed(contents.repaired)


def _listed(notes: Sequence[LeftOut]) -> str:
    lines = [f"- {escaped(each.original_name)}: {escaped(each.sentence)}" for each in notes[:SHOWN]]
    if len(notes) > SHOWN:
        lines.append(f"- … and {len(notes) - SHOWN:,} more.")
    return "\n".join(lines)
