"""README.md: what is in the archive and how to load each part, from what was written."""

from __future__ import annotations

from collections.abc import Iterator

from exports.archive.dataset import Dataset
from exports.archive.formats import Format
from exports.archive.guide import PROGRAM, Contents
from exports.archive.guide.formats_guide import LOSSES
from exports.archive.guide.markdown import escaped
from exports.archive.zipping import Entry

LOADING = {
    "images/originals": "Their names are the user's, made safe for every file system; `names.csv` has both.",
    "images/overlays": "For looking at. The number of an object is its `object_id` in every other file.",
    "annotations/coco": """\
```python
from pycocotools.coco import COCO
coco = COCO("annotations/coco/annotations.json")
mask = coco.annToMask(coco.anns[1])
```""",
    "annotations/json": """\
```python
import json
with open("annotations/json/segmentation_data.json", encoding="utf-8") as file:
    images = json.load(file)["images"]
outline = images[0]["objects"][0]["rings"][0]["points"]
```""",
    "annotations/imagej": """\
In ImageJ or Fiji drag the ZIP onto the window, or use ROI Manager › More › Open.

```python
import glob
import roifile
rois = roifile.roiread(sorted(glob.glob("annotations/imagej/*_RoiSet.zip"))[0])
outlines = [roi.coordinates(multi=True) for roi in rois]
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
    "metrics/excel": """\
```python
import pandas
objects = pandas.read_excel("metrics/metrics.xlsx", sheet_name="Objects")
```""",
    "metrics/csv": """\
```python
import pandas
objects = pandas.read_csv("metrics/metrics.csv", encoding="utf-8-sig")
```""",
    "metrics/json": """\
```python
import json
with open("metrics/metrics.json", encoding="utf-8") as file:
    metrics = json.load(file)
```""",
}

UNITS = {
    "px": "No image has a scale: measurements are in pixels.",
    "µm": "Every image has a scale: measurements are in µm and µm².",
    "mixed": "Some images have a scale and some have none: see the unit of each measurement.",
}

CONVENTIONS = """\
## Conventions

- Coordinates are `(x, y)` in pixels; `(0, 0)` is the top-left corner of the first pixel, x grows to the
  right, y downwards. A format that counts otherwise says so in its documentation.
- An object has one `object_id`, 1 to n within its image, the same in every file.
- A cell of text that a spreadsheet would run as a formula has an apostrophe in front.

`sha256sum -c SHA256SUMS` checks every file; `manifest.json` lists them with the options of this export."""

SHOWN = 20


def readme_entry(contents: Contents) -> Entry:
    sections = [_introduction(contents), "## What is in here", *map(_part, _written(contents))]
    sections += [*_losses(contents), *_left_out(contents), CONVENTIONS]
    return Entry("README.md", ("\n\n".join(sections) + "\n").encode())


def _introduction(contents: Contents) -> str:
    dataset, read = contents.dataset, contents.read
    classes = ", ".join(map(escaped, dataset.class_names)) or "none"
    return (
        f"# {escaped(dataset.project_name)}\n\n"
        f"An export of {PROGRAM} {contents.program_version}.\n"
        f"Newest change of the data: {dataset.changed_at:%Y-%m-%d %H:%M} UTC.\n\n"
        f"Images: {read.images:,}. Objects: {read.objects:,}. Classes: {classes}.\n\n{_scale(dataset)}"
    )


def _scale(dataset: Dataset) -> str:
    if dataset.scale_override is None:
        return UNITS[dataset.unit]
    return f"Scale of all images, as given with the export: {dataset.scale_override:g} µm per pixel."


def _written(contents: Contents) -> Iterator[Format]:
    return (part for part in contents.parts if part.key in contents.written)


def _part(part: Format) -> str:
    files = ", ".join(f"`{path}`" for path in part.files)
    return f"### {part.title}\n\n{part.description}\n\nFiles: {files}\n\n{LOADING[part.key]}"


def _losses(contents: Contents) -> Iterator[str]:
    """What formats could not hold, with counts; nothing when nothing was lost."""
    lines = [
        f"- {part.title}: {count:,} {LOSSES[loss]}"
        for part in _written(contents)
        for loss, count in contents.lost(part).items()
    ]
    if lines:
        yield "## What some formats could not hold\n\n" + "\n".join(lines)


def _left_out(contents: Contents) -> Iterator[str]:
    left_out = contents.left_out
    lines = [f"- {escaped(each.original_name)}: {escaped(each.sentence)}" for each in left_out[:SHOWN]]
    if len(left_out) > SHOWN:
        lines.append(f"- … and {len(left_out) - SHOWN:,} more.")
    if lines:
        yield "## Left out\n\nAll of it is in `errors.csv`.\n\n" + "\n".join(lines)
