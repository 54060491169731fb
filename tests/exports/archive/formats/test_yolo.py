from __future__ import annotations

import json
import re
from collections import Counter
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exports.archive.dataset import Dataset, Image, Objects, Points
from exports.archive.formats.yolo import Yolo
from tests.exports.archive import outlines
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import HEIGHT, WIDTH, Parts, blob
from tests.judges import ask, needs_judges, needs_ultralytics, run_code

SIZE: dict[str, Any] = {"width": WIDTH, "height": HEIGHT}
LINE = re.compile(r"(\d+)((?: (?:0\.\d{6}|1\.000000)){6,})")
BOW_TIE = np.array([(20, 20), (60, 60), (60, 20), (20, 60.0)])
STROKE = np.array([(1, 1), (5, 5), (9, 9.0)])

SHAPES: dict[str, Parts] = {
    "one ring": [[blob(80, 60, 40)]],
    "one ring the other way round": [[blob(80, 60, 40)[::-1]]],
    "over a corner": [[blob(150, 110, 50)]],
    "beyond every edge": [[blob(80, 60, 300)]],
    "two parts": [[blob(40, 40, 25)], [blob(110, 70, 40)]],
    "three parts, one over the edge": [[blob(40, 40, 25)], [blob(110, 70, 30)], [blob(20, 110, 25)]],
    "parts that overlap": [[blob(70, 60, 35)], [blob(90, 60, 35)]],
    "a part outside": [[blob(70, 50, 30)], [square(300, 300, 9)]],
}


class Refused(Exception):
    """Why a strict reader would not take the file."""


def read(text: str, classes: int) -> list[tuple[int, Points]]:
    """Class and points of each line, by the letter of the format's description."""
    lines = text.split("\n")
    if lines.pop():
        raise Refused("the last line has no end")
    return [_read_line(line, classes) for line in lines]


def _read_line(line: str, classes: int) -> tuple[int, Points]:
    found = LINE.fullmatch(line)
    if found is None:
        raise Refused(line)
    class_index, numbers = int(found[1]), np.array(found[2].split(), np.float64)
    if class_index >= classes or len(numbers) % 2:
        raise Refused(line)
    points = numbers.reshape(-1, 2)
    if len(np.unique(points, axis=0)) < 3 or (np.ptp(points, axis=0) == 0).any():
        raise Refused(line)
    return class_index, points


def exported(folder: Path, *images: Image, **fields: Any) -> tuple[dict[str, str], Counter[str]]:
    """The files by their path within `annotations/yolo/`, and what was lost."""
    dataset: Dataset = dataset_of(folder, *images, **fields)
    writer = Yolo(dataset)
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    files = {entry.path.removeprefix("annotations/yolo/"): content_of(entry).decode() for entry in entries}
    assert len(files) == len(images) + 2
    return files, +writer.lost


def lines_of(folder: Path, objects: Objects, **fields: Any) -> str:
    files, _ = exported(folder, image_of(objects, **SIZE), **fields)
    return files["labels/cell 1.txt"]


def rings_of(folder: Path, objects: Objects) -> list[Points]:
    """In pixels."""
    return [points * (WIDTH, HEIGHT) for _, points in read(lines_of(folder, objects), classes=1)]


def filled(ring: Points) -> Any:
    """What lies inside, by even-odd, as OpenCV fills it."""
    return shapely.make_valid(shapely.Polygon(ring))


def visible(parts: Parts) -> Any:
    """All parts together, without their holes, as far as they lie in the image."""
    shapes = [reduce(shapely.difference, map(shapely.Polygon, part)) for part in parts]
    return shapely.intersection(shapely.union_all(shapes), shapely.box(0, 0, WIDTH, HEIGHT))


def overlap(first: Any, second: Any) -> float:
    """Intersection over union."""
    return float(shapely.intersection(first, second).area / shapely.union(first, second).area)


def drawn(shape: Any) -> NDArray[np.bool_]:
    """By GEOS: the pixels whose centre lies inside."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, columns + 0.5, rows + 0.5))


def test_a_line_is_the_class_and_the_shares_of_width_and_height(tmp_path: Path) -> None:
    triangle = np.array([(0, 0), (160, 40), (1 / 3, 120)])
    text = lines_of(tmp_path, objects_of([[triangle]], classes=[1]), class_names=("a", "b"))
    assert text == "1 0.000000 0.000000 1.000000 0.333333 0.002083 1.000000\n"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_line_shows_what_is_visible(tmp_path: Path, shape: str) -> None:
    (ring,) = rings_of(tmp_path, objects_of(SHAPES[shape]))
    assert overlap(filled(ring), visible(SHAPES[shape])) >= 0.9999


def test_holes_are_filled(tmp_path: Path) -> None:
    (ring,) = rings_of(tmp_path, objects_of([[blob(80, 60, 40), blob(80, 60, 20)]]))
    assert overlap(filled(ring), visible([[blob(80, 60, 40)]])) >= 0.9999


def test_a_hole_that_lies_elsewhere_is_no_part(tmp_path: Path) -> None:
    outside, hole = square(-5, 10, 20), square(60, 60, 20)
    (ring,) = rings_of(tmp_path, objects_of([[outside, hole]]))
    assert filled(ring).area == pytest.approx(15 * 20, abs=0.01)


def test_an_outline_that_crosses_itself_keeps_its_points(tmp_path: Path) -> None:
    (ring,) = rings_of(tmp_path, objects_of([[BOW_TIE]]))
    np.testing.assert_allclose(ring, BOW_TIE, atol=1e-4)


def test_an_image_without_objects_has_an_empty_file(tmp_path: Path) -> None:
    assert lines_of(tmp_path, Objects.none()) == ""


def test_what_has_no_area_in_the_image_has_no_line_and_is_counted(tmp_path: Path) -> None:
    point, outside = np.full((3, 2), 7.0), square(500, 10, 9)
    shapes = [[[square(9, 9, 9)]], [[outside]], [[STROKE]], [[point]], [[square(1, 1, 1e-6)]], [[BOW_TIE]]]
    images = [image_of(objects_of(*shapes, [[outside], [STROKE]]), number=n, **SIZE) for n in (1, 2)]
    files, lost = exported(tmp_path, *images)
    assert lost == {"absent": 10}
    assert [len(read(files[f"labels/cell {n}.txt"], 1)) for n in (1, 2)] == [2, 2]


def test_lines_stand_in_stored_order_however_many_there_are(tmp_path: Path) -> None:
    count = 1_203
    objects = objects_of(
        *[[[square(n % 40 * 4, n // 40 * 3, 1 + n % 2)]] for n in range(count)],
        classes=[n % 3 for n in range(count)],
    )
    found = read(lines_of(tmp_path, objects, class_names=("a", "b", "c")), 3)
    assert [class_index for class_index, _ in found] == objects.classes.tolist()
    places = [np.rint(points[0] * (WIDTH, HEIGHT)).tolist() for _, points in found]
    assert places == [[n % 40 * 4, n // 40 * 3] for n in range(count)]


NAMES = (
    "yes",
    "a: b # c",
    "null",
    "\"'{}[],&*!|>%@`",
    "é 细胞 🧫",
    " x ",
    "",
    "\\u0041",
    "1",
    "~",
    "- a",
    "\ufeff",
)
LINE_BREAKS = ("a\nb", "c\rd", "e\u2028f", "g\x85h", "i\x7fj", "k\x00l")


def description_of(folder: Path, class_names: tuple[str, ...]) -> dict[str, Any]:
    """What PyYAML makes of `data.yaml`."""
    files, _ = exported(folder, class_names=class_names)
    (folder / "data.yaml").write_text(files["data.yaml"], encoding="utf-8")
    code = "import json, yaml; print(json.dumps(yaml.safe_load(open('data.yaml')), ensure_ascii=False))"
    found: dict[str, Any] = json.loads(run_code(code, folder))
    return found


@needs_judges
@pytest.mark.parametrize("names", [NAMES, LINE_BREAKS, ()])
def test_any_class_name_is_read_back_by_yaml(tmp_path: Path, names: tuple[str, ...]) -> None:
    description = description_of(tmp_path, names)
    assert description["names"] == {str(index): name for index, name in enumerate(names)}
    assert description["nc"] == len(names)


@needs_judges
def test_the_description_takes_the_images_from_beside_the_labels(tmp_path: Path) -> None:
    """A `path` would be taken from the folder that Ultralytics runs in, not from where the file lies."""
    description = description_of(tmp_path, ("cell",))
    assert (description["train"], description["val"], "path" in description) == ("images", "images", False)


@pytest.mark.parametrize("names", [NAMES, LINE_BREAKS, ()])
def test_each_class_has_one_line(tmp_path: Path, names: tuple[str, ...]) -> None:
    files, _ = exported(tmp_path, class_names=names)
    assert len(files["classes.txt"].splitlines()) == len(names)


def unpacked(folder: Path, *images: Image, **fields: Any) -> None:
    """The files of these images as they lie in `annotations/yolo/`."""
    files, _ = exported(folder, *images, **fields)
    (folder / "labels").mkdir()
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")


def judged(folder: Path, *images: Image, **fields: Any) -> dict[str, Any]:
    """What supervision finds in the files of these images."""
    unpacked(folder, *images, **fields)
    found: dict[str, Any] = ask("reads_yolo", folder / "images", folder / "labels", folder / "data.yaml")
    return found


def stored(folder: Path, objects: Objects | None = None, **fields: Any) -> Image:
    """An image whose file lies in the folder's `images/`."""
    (folder / "images").mkdir(exist_ok=True)
    return image_of(objects, folder / "images", **SIZE, **fields)


@needs_judges
def test_supervision_sees_the_same_pixels_in_the_same_order(tmp_path: Path) -> None:
    """It draws with OpenCV: half a pixel more on each side, and bridges."""
    found = judged(tmp_path, stored(tmp_path, objects_of(*SHAPES.values())))["images"]["cell 1.png"]
    for shape, theirs in zip(SHAPES.values(), found, strict=True):
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(theirs["mask"]), np.uint8))
        mask, expected = bits.reshape(HEIGHT, WIDTH).astype(bool), drawn(visible(shape))
        assert (mask & expected).sum() / (mask | expected).sum() >= 0.93
        assert theirs["box"] == pytest.approx(visible(shape).bounds, abs=1e-3)


@needs_judges
def test_supervision_finds_every_image_and_every_class(tmp_path: Path) -> None:
    objects = objects_of([[square(1, 1, 9)]], [[square(20, 20, 9)]], classes=[2, 0])
    images = [stored(tmp_path, objects, name="a b é.png"), stored(tmp_path, number=2)]
    found = judged(tmp_path, *images, class_names=NAMES)
    assert found["classes"] == list(NAMES)
    assert {name: [each["class"] for each in seen] for name, seen in found["images"].items()} == {
        "a b é.png": [2, 0],
        "cell 2.png": [],
    }


@needs_ultralytics
def test_ultralytics_takes_every_file(tmp_path: Path) -> None:
    shapes = [*SHAPES.values(), [[BOW_TIE]], [[STROKE]], [[square(-9, -9, 9.5)]]]
    images = [stored(tmp_path, objects_of(*shapes), name="a b é.png"), stored(tmp_path, number=2)]
    unpacked(tmp_path, *images, class_names=NAMES)
    found = ask("verifies_yolo", tmp_path / "data.yaml")
    sound = {"is_sound": True, "is_empty": False, "complaint": "", "outlines": len(shapes) - 1}
    empty = sound | {"is_empty": True, "outlines": 0}
    assert found["images"] == {"a b é.png": sound, "cell 2.png": empty}
    assert len(found["names"]) == len(NAMES)


@settings(max_examples=60)
@given(st.lists(outlines.anything, min_size=1, max_size=5))
def test_a_strict_reader_takes_whatever_was_outlined(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    files, lost = exported(folder, image_of(objects_of(*shapes), **SIZE))
    found = read(files["labels/cell 1.txt"], classes=1)
    assert len(found) + lost["absent"] == len(shapes)
    assert all(filled(points).area > 0 for _, points in found)


@settings(max_examples=60)
@given(outlines.sound)
def test_a_sound_outline_comes_back_without_its_holes(
    tmp_path_factory: pytest.TempPathFactory, shape: Parts
) -> None:
    expected = visible([[outer] for outer, *_ in shape])
    rings = rings_of(tmp_path_factory.getbasetemp(), objects_of(shape))
    if expected.area > 200:
        assert overlap(filled(rings[0]), expected) >= 0.99
