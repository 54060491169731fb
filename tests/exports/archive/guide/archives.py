"""Whole archives, made as a worker makes them but of values instead of rows, and unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from exports import assembly
from exports.archive.dataset import Image, LeftOut
from exports.archive.formats import annotation_formats, metrics_formats
from exports.messages import Advance
from exports.options import ExportOptions
from exports.snapshot import Item
from tests.exports.archive.builders import dataset_of

EVERYTHING = {"annotation_formats": [*annotation_formats], "metrics_formats": [*metrics_formats]}


class Silence:
    """Shows no progress and never stops the work."""

    def show(self, advance: Advance) -> None: ...
    def check(self) -> None: ...


def damaged(image: Image) -> LeftOut:
    return LeftOut(
        image.image_id, image.original_name, "reading", "damaged_objects", "Its outlines are damaged."
    )


def unpacked(
    folder: Path,
    images: Sequence[Image],
    faults: Sequence[LeftOut] = (),
    fields: dict[str, Any] | None = None,
    **choices: Any,
) -> Path:
    """The folder of the archive; an image whose id a fault names is damaged. `fields` are the dataset's."""
    options = ExportOptions.model_validate(choices)
    workspace, target = folder / "workspace", folder / "archive"
    workspace.mkdir()
    dataset = dataset_of(workspace, *images, options=options.as_json(), **(fields or {}))
    dataset = replace(dataset, scale_override=options.pixel_to_micrometer_scale)
    by_id = {fault.image_id: fault for fault in faults}
    items = [Item(image, by_id.get(image.image_id)) for image in images]
    with (folder / "archive.zip").open("w+b") as file:
        assembly.write(file, dataset, items, Silence())
        zipfile.ZipFile(file).extractall(target)
    return target


def files_in(archive: Path) -> set[str]:
    """The paths of all its files."""
    return {path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()}
