from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exports.archive.dataset import Image, Objects
from exports.archive.formats.labelme import Labelme
from tests.exports.archive import outlines
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import HEIGHT, WIDTH, Parts, blob
from tests.judges import ask, needs_judges

SIZE: dict[str, Any] = {"width": WIDTH, "height": HEIGHT}

SHAPES: dict[str, Parts] = {
    "one ring": [[blob(80, 60, 40)]],
    "one ring the other way round": [[blob(80, 60, 40)[::-1]]],
    "over a corner": [[blob(150, 110, 50)]],
    "two parts": [[blob(40, 40, 25)], [blob(110, 70, 40)]],
    "a hole": [[blob(80, 60, 40), blob(80, 60, 20)]],
}


def exported(folder: Path, *images: Image, **fields: Any) -> dict[str, bytes]:
    """The content of each file, by its path."""
    writer = Labelme(dataset_of(folder, *images, **fields))
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    assert [entry.path for entry in entries] == [f"annotations/labelme/{image.stem}.json" for image in images]
    return {entry.path: content_of(entry) for entry in entries}


def shapes_of(folder: Path, objects: Objects, **fields: Any) -> list[dict[str, Any]]:
    (content,) = exported(folder, image_of(objects, **SIZE), **fields).values()
    shapes: list[dict[str, Any]] = json.loads(content)["shapes"]
    return shapes


def judged(folder: Path, *images: Image, **fields: Any) -> dict[str, Any]:
    """What labelme and supervision find in the files of these images."""
    (folder / "annotations/labelme").mkdir(parents=True)
    for path, content in exported(folder, *images, **fields).items():
        (folder / path).write_bytes(content)
    found: dict[str, Any] = ask("reads_labelme", folder)
    return found


def stored(folder: Path, objects: Objects | None = None, **fields: Any) -> Image:
    """An image whose file lies in the folder's `images/`."""
    (folder / "images").mkdir(exist_ok=True)
    return image_of(objects, folder / "images", **SIZE, **fields)


def drawn(parts: Parts) -> NDArray[np.bool_]:
    """By GEOS: the pixels whose centre lies inside of all parts together, without their holes."""
    whole = shapely.union_all([shapely.Polygon(outer) for outer, *_ in parts])
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shapely.prepare(whole)
    return np.asarray(shapely.contains_xy(whole, columns + 0.5, rows + 0.5))


@needs_judges
def test_labelme_reads_the_stored_points_and_opens_the_image(tmp_path: Path) -> None:
    found = judged(tmp_path, stored(tmp_path, objects_of(*SHAPES.values())))["cell 1.json"]
    outers = [(number, outer) for number, parts in enumerate(SHAPES.values(), 1) for outer, *_ in parts]
    assert found["size"] == [WIDTH, HEIGHT]
    assert [(shape["group_id"], shape["points"]) for shape in found["shapes"]] == [
        (number, outer.tolist()) for number, outer in outers
    ]
    assert {(shape["label"], shape["shape_type"]) for shape in found["shapes"]} == {("cell", "polygon")}


@needs_judges
def test_supervision_joins_the_parts_of_an_object_and_sees_its_pixels(tmp_path: Path) -> None:
    """It draws with OpenCV: half a pixel more on each side."""
    found = judged(tmp_path, stored(tmp_path, objects_of(*SHAPES.values())))["cell 1.json"]["objects"]
    for parts, theirs in zip(SHAPES.values(), found, strict=True):
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(theirs["mask"]), np.uint8))
        mask, expected = bits.reshape(HEIGHT, WIDTH).astype(bool), drawn(parts)
        assert (mask & expected).sum() / (mask | expected).sum() >= 0.93


@needs_judges
def test_any_name_is_found_by_both(tmp_path: Path) -> None:
    names = ('"quoted"\\', "<b>", "a\nb", "é 细胞 🧫")
    objects = objects_of(*[[[square(9 * n, 9 * n, 5)]] for n in range(4)], classes=range(4))
    images = [stored(tmp_path, objects, name='<a&b> "é"...png'), stored(tmp_path, number=2)]
    found = judged(tmp_path, *images, class_names=names)
    assert [shape["label"] for shape in found['<a&b> "é"...json']["shapes"]] == list(names)
    assert [each["class"] for each in found['<a&b> "é"...json']["objects"]] == list(names)
    assert found["cell 2.json"] == {"size": [WIDTH, HEIGHT], "shapes": [], "objects": []}


def test_objects_stand_in_stored_order_however_many_there_are(tmp_path: Path) -> None:
    count = 503
    objects = objects_of(
        *[
            [[square(n % 40 * 4, n // 40 * 4, 3)], *([[square(9, 9, 1)]] if n % 2 else [])]
            for n in range(count)
        ]
    )
    numbers = [shape["group_id"] for shape in shapes_of(tmp_path, objects)]
    assert numbers == [n + 1 for n in range(count) for _ in range(1 + n % 2)]


@settings(max_examples=40)
@given(st.lists(outlines.anything, min_size=1, max_size=5))
def test_whatever_was_outlined_keeps_its_points(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]
) -> None:
    found = shapes_of(tmp_path_factory.getbasetemp(), objects_of(*shapes))
    outers = [outer.tolist() for parts in shapes for outer, *_ in parts]
    assert [shape["points"] for shape in found] == outers
