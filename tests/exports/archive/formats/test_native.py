from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from exports.archive.dataset import FARTHEST, Image, Objects
from exports.archive.formats.native import Native
from exports.archive.zipping import Archive
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square

NESTED = objects_of(
    [[square(1 / 3, -5, 30), square(2, 2, 3), square(9, 9, 4)], [square(40, 1, 9), square(42, 3, 2)]],
    [[np.array([(0.1, 0.2), (1e-17, 3), (1.6e7, 2.5)])]],
    classes=[1, 0],
    scores=[0.1 + 0.2, np.nan],
)


def exported(folder: Path, *images: Image, **fields: Any) -> tuple[Any, Any]:
    """The content and its schema."""
    dataset = dataset_of(folder, *images, class_names=("cell", "nucleus"), **fields)
    writer, file = Native(dataset), io.BytesIO()
    archive = Archive(file, dataset.changed_at, lambda: None)
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    for entry in entries:
        archive.add(entry)
    archive.close()
    content = zipfile.ZipFile(file)
    names = ("annotations/json/segmentation_data.json", "annotations/json/schema.json")
    return tuple(json.loads(content.read(name)) for name in names)


def objects_read(image: dict[str, Any], classes: list[str]) -> Objects:
    """What a reader makes of it, from the parents of the rings."""
    parts: list[list[list[Any]]] = []
    for each in image["objects"]:
        rings = {ring["id"]: ring for ring in each["rings"]}
        outer = [ring for ring in rings.values() if ring["parent"] is None]
        parts.append([[o, *(r for r in rings.values() if r["parent"] == o["id"])] for o in outer])
    points = [[[np.array(ring["points"]) for ring in part] for part in each] for each in parts]
    scores = [np.nan if each["score"] is None else each["score"] for each in image["objects"]]
    found = [classes.index(each["class"]) for each in image["objects"]]
    return objects_of(*points, classes=found, scores=scores)


def assert_equal(first: Objects, second: Objects) -> None:
    for name in ("points", "ring_starts", "ring_objects", "ring_parts", "classes", "scores"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


@pytest.mark.parametrize("objects", [NESTED, Objects.none(), objects_of([[square(0, 0, 1)]])])
def test_what_is_read_back_is_equal_to_the_last_bit(tmp_path: Path, objects: Objects) -> None:
    content, _ = exported(tmp_path, image_of(), image_of(objects, number=2))
    assert_equal(objects_read(content["images"][1], content["classes"]), objects)


finite = st.floats(-FARTHEST, FARTHEST)
ring = st.lists(st.tuples(finite, finite), min_size=3, max_size=5).map(np.array)
part = st.lists(ring, min_size=1, max_size=3)


@given(st.lists(st.lists(part, min_size=1, max_size=3), max_size=4))
def test_any_objects_are_read_back_equal(tmp_path_factory: pytest.TempPathFactory, parts: Any) -> None:
    objects = objects_of(*parts)
    content, _ = exported(tmp_path_factory.getbasetemp(), image_of(objects))
    assert_equal(objects_read(content["images"][0], content["classes"]), objects)


def test_what_is_known_of_an_image_is_there(tmp_path: Path) -> None:
    image = image_of(original_name="a/b.png", name="a_b.png", pixel_size=0.325)
    content, _ = exported(tmp_path, image, project_name='Mitosis "2"')
    assert content["images"] == [
        {
            "id": image.image_id,
            "number": 1,
            "original_name": "a/b.png",
            "name": "a_b.png",
            "width": 64,
            "height": 48,
            "pixel_size": 0.325,
            "sha256": "0" * 64,
            "objects": [],
        }
    ]
    assert (content["project"], content["unit"]) == ('Mitosis "2"', "µm")


def test_a_hole_names_the_ring_around_it(tmp_path: Path) -> None:
    content, _ = exported(tmp_path, image_of(NESTED))
    rings = content["images"][0]["objects"][0]["rings"]
    assert [(ring["id"], ring["kind"], ring["parent"]) for ring in rings] == [
        (1, "outer", None),
        (2, "hole", 1),
        (3, "hole", 1),
        (4, "outer", None),
        (5, "hole", 4),
    ]


def test_the_schema_in_the_archive_is_a_schema_and_holds(tmp_path: Path) -> None:
    content, schema = exported(tmp_path, image_of(NESTED), image_of(number=2, pixel_size=0.5))
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(content)) == []


@pytest.mark.parametrize("field", ["object_id", "class", "score", "rings"])
def test_the_schema_misses_a_field_that_is_gone(tmp_path: Path, field: str) -> None:
    content, schema = exported(tmp_path, image_of(NESTED))
    del content["images"][0]["objects"][0][field]
    assert not Draft202012Validator(schema).is_valid(content)
