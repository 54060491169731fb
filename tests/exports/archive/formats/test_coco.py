from __future__ import annotations

import io
import json
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from skimage.draw import polygon2mask

from exports.archive.dataset import Image, Points
from exports.archive.formats.coco import Coco, run_lengths
from exports.archive.zipping import Archive
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import blob

SIZE: dict[str, Any] = {"width": 640, "height": 480}


def mask_of(parts: list[list[Points]]) -> NDArray[np.bool_]:
    """Drawn by scikit-image: the pixels whose centre lies inside."""
    mask = np.zeros((SIZE["height"], SIZE["width"]), np.bool_)
    for outer, *holes in parts:
        part = polygon2mask(mask.shape, outer[:, ::-1] - 0.5)
        for hole in holes:
            part &= ~polygon2mask(mask.shape, hole[:, ::-1] - 0.5)
        mask |= part
    return mask


def exported(folder: Path, *images: Image, **fields: Any) -> dict[str, Any]:
    dataset = dataset_of(folder, *images, **fields)
    writer = Coco(dataset)
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    file = io.BytesIO()
    archive = Archive(file, dataset.changed_at, lambda: None)
    assert [archive.add(entry).path for entry in entries] == ["annotations/coco/annotations.json"]
    archive.close()
    content: dict[str, Any] = json.loads(zipfile.ZipFile(file).read("annotations/coco/annotations.json"))
    return content


def loaded(folder: Path, content: dict[str, Any]) -> COCO:
    (folder / "coco.json").write_text(json.dumps(content))
    with redirect_stdout(io.StringIO()):
        return COCO(str(folder / "coco.json"))


SHAPES = {
    "one ring": [[blob(200, 150, 60)]],
    "a hole": [[blob(200, 150, 60), blob(205, 155, 30)]],
    "two holes": [[blob(300, 250, 120), blob(250, 250, 30), blob(350, 250, 35)]],
    "two parts": [[blob(150, 150, 50)], [blob(450, 300, 60)]],
    "two parts, one with a hole": [[blob(150, 150, 50)], [blob(450, 300, 80), blob(450, 300, 30)]],
    "beyond every edge, with a hole": [[square(-50, -40, 900), blob(300, 200, 90)]],
    "over a corner, with a hole": [[blob(620, 460, 100), blob(600, 430, 30)]],
    "full height, with a hole": [[square(100, 0, 480), blob(300, 200, 90)]],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_pycocotools_sees_the_same_pixels_as_an_independent_drawing(tmp_path: Path, shape: str) -> None:
    coco = loaded(tmp_path, exported(tmp_path, image_of(objects_of(SHAPES[shape]), **SIZE)))
    theirs, expected = coco.annToMask(coco.anns[1]).astype(bool), mask_of(SHAPES[shape])
    assert (theirs & expected).sum() / (theirs | expected).sum() >= 0.99


@pytest.mark.parametrize("shape", [name for name in SHAPES if "hole" in name])
def test_run_lengths_cover_the_image_and_none_is_empty_inside(shape: str) -> None:
    counts = run_lengths(SHAPES[shape], **SIZE)
    assert sum(counts) == 640 * 480
    assert all(count > 0 for count in counts[1:])


def test_run_lengths_of_an_object_outside_the_image_are_one_run() -> None:
    assert run_lengths([[square(700, 10, 50), square(710, 20, 10)]], **SIZE) == [640 * 480]


@pytest.mark.parametrize("far", [-(2.0**24), 1e7])
def test_a_point_at_the_end_of_the_world_costs_no_more_than_another(far: float) -> None:
    outer = np.array([(10, 10), (far, 20), (20, 300.0)])
    assert sum(run_lengths([[outer, square(12, 20, 2)]], **SIZE)) == 640 * 480


def test_area_and_box_are_those_of_the_exact_outline(tmp_path: Path) -> None:
    objects = objects_of([[square(10, 20, 10), square(13, 23, 4)]], [[square(1.25, 2.5, 0.5)]])
    first, second = exported(tmp_path, image_of(objects))["annotations"]
    assert (first["area"], first["bbox"]) == (84, [10, 20, 10, 10])
    assert (second["area"], second["bbox"]) == (0.25, [1.25, 2.5, 0.5, 0.5])


def test_points_are_the_stored_ones(tmp_path: Path) -> None:
    ring = np.array([(0.1, 1 / 3), (70.5, 2), (-5, 7.25)])
    (annotation,) = exported(tmp_path, image_of(objects_of([[ring]])))["annotations"]
    assert annotation["segmentation"] == [ring.reshape(-1).tolist()]


def test_ids_count_on_over_the_images_and_categories_from_one(tmp_path: Path) -> None:
    one, two = (objects_of([[square(1, 1, 5)]], [[square(9, 9, 5)]], classes=[1, 0]) for _ in range(2))
    images = (image_of(one), image_of(number=2), image_of(two, number=3))
    content = exported(tmp_path, *images, class_names=("cell", "nucleus"))
    annotations = content["annotations"]
    assert [each["id"] for each in annotations] == [1, 2, 3, 4]
    assert [each["image_id"] for each in annotations] == [1, 1, 3, 3]
    assert [each["category_id"] for each in annotations] == [2, 1, 2, 1]
    assert [each["attributes"]["object_id"] for each in annotations] == [1, 2, 1, 2]
    assert [(each["id"], each["name"]) for each in content["categories"]] == [(1, "cell"), (2, "nucleus")]


def test_nothing_is_a_crowd_and_scores_are_kept(tmp_path: Path) -> None:
    objects = objects_of([[square(1, 1, 5)]], [[square(9, 9, 9), square(10, 10, 2)]], scores=[0.75, np.nan])
    first, second = exported(tmp_path, image_of(objects))["annotations"]
    assert (first["iscrowd"], second["iscrowd"]) == (0, 0)
    assert (first["attributes"]["score"], second["attributes"]["score"]) == (0.75, None)


def test_images_are_named_as_in_their_folder(tmp_path: Path) -> None:
    content = exported(tmp_path, image_of(name="a b.png", original_name="a/b.png"), image_of(number=2))
    assert [image["file_name"] for image in content["images"]] == ["a b.png", "cell 2.png"]
    assert (content["images"][0]["width"], content["images"][0]["height"]) == (64, 48)


def test_an_export_without_images_is_still_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, exported(tmp_path)).getAnnIds() == []
