"""The contents of a small export, for the tests of the guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exports.archive.formats import PARTS
from exports.archive.guide import Contents, Counts
from exports.archive.guide.inventory import EXPLAINING
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square


def contents_of(folder: Path, **fields: Any) -> Contents:
    """One image of two objects in every part; fields of the dataset and of the contents may be given."""
    image = image_of(objects_of([[square(1, 1, 9), square(3, 3, 2)]], [[square(20, 1, 9)]]))
    of_contents = {name: fields.pop(name) for name in list(fields) if name in Contents.__annotations__}
    defaults: dict[str, Any] = {
        "dataset": dataset_of(folder, image, **fields),
        "parts": PARTS,
        "read": Counts(1, 2),
        "written": {part.key: Counts(1, 2) for part in PARTS},
        "features": {"holes": 1, "parts": 0, "scores": 0},
        "left_out": (),
        "repaired": (),
        "program_version": "1.2.3",
        "found": frozenset([*EXPLAINING, *(path for part in PARTS for path in part.files)]),
    }
    return Contents(**(defaults | of_contents))
