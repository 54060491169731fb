from __future__ import annotations

from collections import Counter
from functools import reduce
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exports.archive.dataset import Image, Objects
from exports.archive.formats.cvat import Cvat
from tests.exports.archive import outlines
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import HEIGHT, WIDTH, Parts, blob
from tests.judges import ask, needs_judges

SIZE: dict[str, Any] = {"width": WIDTH, "height": HEIGHT}
Mask = NDArray[np.bool_]

POLYGONS: dict[str, Parts] = {
    "one ring": [[blob(80, 60, 40)]],
    "one ring the other way round": [[blob(80, 60, 40)[::-1]]],
    "over a corner": [[blob(150, 110, 50)]],
}
MASKS: dict[str, Parts] = {
    "a hole": [[blob(80, 60, 40), blob(80, 60, 20)]],
    "a hole the other way round": [[blob(80, 60, 40), blob(80, 60, 20)[::-1]]],
    "two holes": [[blob(80, 60, 55), blob(60, 60, 12), blob(100, 60, 12)]],
    "two parts": [[blob(40, 40, 25)], [blob(110, 70, 40)]],
    "parts that overlap": [[blob(70, 60, 35)], [blob(90, 60, 35)]],
    "a part in the hole of another": [[blob(80, 60, 55), blob(80, 60, 30)], [blob(80, 60, 12)]],
    "over a corner, with a hole": [[blob(140, 100, 50), blob(140, 100, 20)]],
    "beyond every edge, with a hole": [[square(-50, -50, 400), blob(80, 60, 30)]],
    "rows that are one run": [[square(0, 0, 300)], [square(400, 0, 9)]],
    "a part outside": [[blob(80, 60, 40)], [square(300, 300, 9)]],
}


def exported(folder: Path, *images: Image, **fields: Any) -> tuple[bytes, Counter[str]]:
    """The file, and what was lost."""
    writer = Cvat(dataset_of(folder, *images, **fields))
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    assert [entry.path for entry in entries] == ["annotations/cvat/annotations.xml"]
    return content_of(entries[0]), +writer.lost


def parsed(folder: Path, *images: Image, **fields: Any) -> ElementTree.Element:
    return ElementTree.fromstring(exported(folder, *images, **fields)[0])


def judged(folder: Path, *images: Image, **fields: Any) -> dict[str, Any]:
    """What datumaro finds in the file of these images."""
    (folder / "annotations.xml").write_bytes(exported(folder, *images, **fields)[0])
    found: dict[str, Any] = ask("reads_cvat", folder)
    return found


def stored(folder: Path, objects: Objects | None = None, **fields: Any) -> Image:
    """An image whose file lies in the folder's `images/`."""
    (folder / "images").mkdir(exist_ok=True)
    return image_of(objects, folder / "images", **SIZE, **fields)


def expected(parts: Parts) -> Any:
    """All parts together, without their holes."""
    return shapely.union_all([reduce(shapely.difference, map(shapely.Polygon, part)) for part in parts])


def drawn(shape: Any) -> Mask:
    """By GEOS: the pixels whose centre lies inside."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, columns + 0.5, rows + 0.5))


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union."""
    return float((first & second).sum() / (first | second).sum())


def mask_of(element: ElementTree.Element) -> Mask:
    """By CVAT's description; a box that leaves the image, or runs that do not fill it, are refused."""
    left, top, width, height = (int(element.attrib[key]) for key in ("left", "top", "width", "height"))
    counts = [int(count) for count in element.attrib["rle"].split(",")]
    assert min(counts[1:]) > 0 <= counts[0]
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    values = np.arange(len(counts)) % 2 == 1
    mask[top : top + height, left : left + width] = np.repeat(values, counts).reshape(height, width)
    return mask


@needs_judges
def test_datumaro_reads_the_stored_points_of_polygons(tmp_path: Path) -> None:
    image = stored(tmp_path, objects_of(*POLYGONS.values()))
    for parts, theirs in zip(
        POLYGONS.values(), judged(tmp_path, image)["images"]["cell 1"]["annotations"], strict=True
    ):
        assert theirs["type"] == "polygon"
        np.testing.assert_allclose(theirs["points"], parts[0][0], atol=0.01)  # it rounds to hundredths


@needs_judges
def test_datumaro_reads_the_same_pixels_as_an_independent_drawing(tmp_path: Path) -> None:
    image = stored(tmp_path, objects_of(*MASKS.values()))
    found = judged(tmp_path, image)["images"]["cell 1"]["annotations"]
    for parts, theirs in zip(MASKS.values(), found, strict=True):
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(theirs["mask"]), np.uint8))
        assert overlap(bits.reshape(HEIGHT, WIDTH).astype(bool), drawn(expected(parts))) >= 0.99


NAMES = (
    "yes",
    "<b>&amp;",
    "\"'",
    "é 细胞 🧫",
    "a\nb\tc\rd",
    "  x ",
    "",
    "unnamed",
    "k\x01l",
    "k\x02l",
    "]]>",
)


@needs_judges
def test_datumaro_finds_every_image_label_and_attribute(tmp_path: Path) -> None:
    shapes = [[[square(n, n, 5), *([square(n + 1, n + 1, 2)] if n % 2 else [])]] for n in range(len(NAMES))]
    scores = [0.1, *[np.nan] * (len(NAMES) - 1)]
    objects = objects_of(*shapes, classes=range(len(NAMES)), scores=scores)
    images = [stored(tmp_path, objects, name='<a&b> "é".png'), stored(tmp_path, number=2)]
    found = judged(tmp_path, *images, class_names=NAMES, project_name="<P&\x00>")
    assert found["labels"] == [*NAMES[:6], "unnamed", "unnamed_", "k\ufffdl", "k\ufffdl_", "]]>"]
    first, second = found["images"].values()
    assert [each["label"] for each in first["annotations"]] == found["labels"]
    assert [each["z_order"] for each in first["annotations"]] == [*range(len(NAMES))]
    assert [each["attributes"]["object_id"] for each in first["annotations"]] == [
        str(number) for number in range(1, len(NAMES) + 1)
    ]
    assert [each["attributes"]["score"] for each in first["annotations"]] == ["0.1", *[""] * 10]
    assert [*found["images"]] == ['<a&b> "é"', "cell 2"]
    assert (first["frame"], second["frame"], second["annotations"]) == (0, 1, [])
    assert first["size"] == [HEIGHT, WIDTH]


def test_points_are_the_stored_ones(tmp_path: Path) -> None:
    ring = np.array([(0.1, 1 / 3), (70.5, 2), (-5, 2.0**24)])
    element = parsed(tmp_path, image_of(objects_of([[ring]]), **SIZE)).find("image/polygon")
    assert element is not None
    pairs = [[float(number) for number in pair.split(",")] for pair in element.attrib["points"].split(";")]
    assert pairs == ring.tolist()


@pytest.mark.parametrize("shape", MASKS)
def test_runs_fill_the_box_and_the_box_is_as_small_as_can_be(tmp_path: Path, shape: str) -> None:
    element = parsed(tmp_path, image_of(objects_of(MASKS[shape]), **SIZE)).find("image/mask")
    assert element is not None
    mask = mask_of(element)
    rows, columns = np.nonzero(mask)
    box = [int(element.attrib[key]) for key in ("left", "top", "width", "height")]
    assert box == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert overlap(mask, drawn(expected(MASKS[shape]))) >= 0.99


def test_a_whole_image_is_one_run(tmp_path: Path) -> None:
    element = parsed(tmp_path, image_of(objects_of(MASKS["rows that are one run"]), **SIZE)).find(
        "image/mask"
    )
    assert element is not None
    assert element.attrib["rle"] == f"0,{WIDTH * HEIGHT}"


def test_objects_stand_in_stored_order_however_many_there_are(tmp_path: Path) -> None:
    count = 503
    shapes = [
        [
            [
                square(n % 40 * 4, n // 40 * 4, 4),
                *([square(n % 40 * 4 + 1, n // 40 * 4 + 1, 2)] if n % 3 else []),
            ]
        ]
        for n in range(count)
    ]
    (image,) = parsed(tmp_path, image_of(objects_of(*shapes), **SIZE)).findall("image")
    tags = [element.tag for element in image]
    assert tags == ["mask" if n % 3 else "polygon" for n in range(count)]
    ids = [element.findtext("attribute[@name='object_id']") for element in image]
    assert ids == [str(number) for number in range(1, count + 1)]
    corners = [(int(each.attrib["left"]), int(each.attrib["top"])) for each in image if each.tag == "mask"]
    assert corners == [(n % 40 * 4, n // 40 * 4) for n in range(count) if n % 3]


def test_a_mask_without_a_pixel_is_missing_and_counted(tmp_path: Path) -> None:
    outside = [[square(500, 10, 9), square(502, 12, 2)]]
    small = [[square(1, 1, 0.2)], [square(3, 3, 0.2)]]
    images = [
        image_of(objects_of(outside, small, [[square(500, 1, 9)]], MASKS["a hole"]), number=n, **SIZE)
        for n in (1, 2)
    ]
    content, lost = exported(tmp_path, *images)
    assert lost == {"absent": 4}
    for image in ElementTree.fromstring(content).findall("image"):
        ids = [element.findtext("attribute[@name='object_id']") for element in image]
        assert ids == ["3", "4"]


def test_the_task_says_what_is_in_it(tmp_path: Path) -> None:
    root = parsed(tmp_path, image_of(), image_of(number=2), class_names=("a", "b"), project_name="P & Q")
    assert [root.findtext(f"meta/task/{name}") for name in ("name", "size", "mode")] == [
        "P & Q", "2", "annotation",
    ]  # fmt: skip
    assert root.findtext("version") == "1.1"
    colours = [label.findtext("color") for label in root.iter("label")]
    assert colours == ["#0072b2", "#e69f00"]
    assert [each.findtext("name") for each in root.findall(".//label/attributes/attribute")] == [
        "object_id", "score", "object_id", "score",
    ]  # fmt: skip


@settings(max_examples=60)
@given(st.lists(outlines.anything, min_size=1, max_size=5))
def test_whatever_was_outlined_is_read_by_the_letter(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content, lost = exported(folder, image_of(objects_of(*shapes), **SIZE))
    (image,) = ElementTree.fromstring(content).findall("image")
    assert len(image) + lost["absent"] == len(shapes)
    assert all(mask_of(element).any() for element in image if element.tag == "mask")


@settings(max_examples=60)
@given(outlines.sound)
def test_a_sound_outline_comes_back(tmp_path_factory: pytest.TempPathFactory, shape: Parts) -> None:
    seen = drawn(expected(shape))
    root = parsed(tmp_path_factory.getbasetemp(), image_of(objects_of(shape), **SIZE))
    if seen.sum() > 200 and (element := root.find("image/mask")) is not None:
        assert overlap(mask_of(element), seen) >= 0.99


@given(st.text())
def test_any_name_is_text_that_an_xml_reader_takes(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = parsed(
        tmp_path_factory.getbasetemp(),
        image_of(objects_of([[square(1, 1, 5)]]), name=name),
        class_names=(name,),
        project_name=name,
    )
    label = root.findtext(".//label/name")
    (polygon,) = root.iter("polygon")
    assert polygon.attrib["label"] == label
    assert len(label or "") == len(name or "unnamed")
