"""The baseline: an export as a straightforward programmer writes it, with library calls and nothing measured.

All rows and tables are held in memory, every object is drawn and measured by itself, files are collected in
a folder and the ZIP deflates them all. It leaves out what would only make it slower: guide, checksums,
progress, heartbeat, flushing to disk.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import cv2
import numpy as np

from bench import naive_tables
from bench.naive_drawing import draw
from bench.naive_measures import measured
from bench.outcome import Outcome, counts_of
from bench.stopwatch import Stopwatch, stage_of
from projects.models import Image, Project

Cell = dict[str, Any]
"""`class`, `score` and `rings`: the outer one, then its holes."""


def export(project: Project, folder: Path) -> Outcome:
    watch = Stopwatch()
    archive, staging = folder / "naive.zip", folder / "naive"
    for name in ("images", "visualizations", "annotations/coco", "annotations/json", "metrics"):
        (staging / name).mkdir(parents=True)
    _collect(project, staging, watch)
    with ZipFile(archive, "w", ZIP_DEFLATED) as opened:
        for path in sorted(each for each in staging.rglob("*") if each.is_file()):
            name = path.relative_to(staging).as_posix()
            with watch.stage(stage_of(name)):
                opened.write(path, name)
    stages = watch.stop()
    counts = counts_of(archive)
    archive.unlink()
    shutil.rmtree(staging)
    return Outcome(stages, counts)


def _collect(project: Project, staging: Path, watch: Stopwatch) -> None:
    with watch.stage("rows"):
        images = list(project.images.present().select_related("segmentation").order_by("name", "id"))
        cells = [_cells(image) for image in images]
    for image, objects in zip(images, cells, strict=True):
        with watch.stage("originals"):
            shutil.copy(image.file.path, staging / "images" / image.name)
        with watch.stage("decode"):
            picture = cv2.imread(image.file.path)
        with watch.stage("overlays"):
            path = staging / "visualizations" / f"{Path(image.name).stem}_overlay.png"
            cv2.imwrite(str(path), draw(picture, objects))
    with watch.stage("coco"):
        (staging / "annotations/coco/annotations.json").write_text(json.dumps(_coco(images, cells)))
    with watch.stage("json"):
        (staging / "annotations/json/segmentation_data.json").write_text(json.dumps(_plain(images, cells)))
    with watch.stage("measures"):
        rows = [
            {"image": image.name, "object": number, **measured(cell, image.pixel_size or 1.0)}
            for image, objects in zip(images, cells, strict=True)
            for number, cell in enumerate(objects, 1)
        ]
    naive_tables.write(staging / "metrics", rows, watch)


def _cells(image: Image) -> list[Cell]:
    if image.segmentation is None:
        return []
    outlines = image.segmentation.outlines
    cells: list[Cell] = [
        {"class": outlines.class_names[index], "score": score, "rings": []}
        for index, score in zip(outlines.classes, outlines.scores.tolist(), strict=True)
    ]
    rings = np.split(outlines.points, np.cumsum(outlines.rings[:-1, 2]))
    for (index, *_), ring in zip(outlines.rings, rings, strict=True):
        cells[index]["rings"].append(ring.tolist())
    return cells


def _coco(images: list[Image], cells: list[list[Cell]]) -> dict[str, Any]:
    names = sorted({cell["class"] for objects in cells for cell in objects})
    annotations: list[dict[str, Any]] = []
    for number, objects in enumerate(cells, 1):
        for cell in objects:
            annotations.append(
                _annotation(len(annotations) + 1, number, names.index(cell["class"]) + 1, cell)
            )
    return {
        "images": [
            {"id": number, "file_name": image.name, "width": image.width, "height": image.height}
            for number, image in enumerate(images, 1)
        ],
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
    }


def _annotation(number: int, image: int, category: int, cell: Cell) -> dict[str, Any]:
    outer = np.array(cell["rings"][0], np.float32)
    x, y = outer.min(axis=0).tolist()
    right, bottom = outer.max(axis=0).tolist()
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": [[value for point in ring for value in point] for ring in cell["rings"]],
        "area": float(cv2.contourArea(outer)),
        "bbox": [x, y, right - x, bottom - y],
        "iscrowd": 0,
        "score": cell["score"],
    }


def _plain(images: list[Image], cells: list[list[Cell]]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(image.pk),
            "name": image.name,
            "width": image.width,
            "height": image.height,
            "objects": objects,
        }
        for image, objects in zip(images, cells, strict=True)
    ]
