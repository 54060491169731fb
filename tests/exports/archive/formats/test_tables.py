from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from exports.archive.columns import IMAGE_MEASURES, MEASURES
from exports.archive.dataset import Dataset, Image
from exports.archive.formats import Writer
from exports.archive.formats.tables import CsvWriter, ExcelWriter, JsonWriter
from exports.archive.measure import measurements_of
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square

Rows = list[tuple[Any, ...]]
POINT = np.ones((3, 2))


def written(writer: Writer, images: Sequence[Image]) -> bytes:
    early = [entry for image in images for entry in writer.add(image)]
    (entry,) = [*early, *writer.finish()]
    return content_of(entry)


def sheets(writer: Writer, images: Sequence[Image]) -> dict[str, Rows]:
    workbook = openpyxl.load_workbook(io.BytesIO(written(writer, images)))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in workbook}


def csv_rows(dataset: Dataset, images: Sequence[Image]) -> list[list[str]]:
    text = written(CsvWriter(dataset), images).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def number(cell: str) -> float | None:
    return float(cell) if cell else None


@pytest.fixture
def images() -> list[Image]:
    two = objects_of([[square(0, 0, 10), square(3, 3, 4)]], [[square(1.1, 2.3, 7.7)]], scores=[0.875, np.nan])
    one = objects_of([[POINT]], classes=[1])
    return [image_of(two, number=1), image_of(one, number=2), image_of(number=3)]


@pytest.fixture
def dataset(tmp_path: Path, images: list[Image]) -> Dataset:
    return dataset_of(tmp_path, *images, class_names=("cell", "nucleus"))


def expected_objects(images: Sequence[Image]) -> Iterator[tuple[Any, ...]]:
    """Labels and measures as they should be read, NaN as None."""
    for image in images:
        for index, measures in enumerate(
            measurements_of(image, dataset_of(Path("/nowhere"), image)).objects.tolist()
        ):
            name = ("cell", "nucleus")[image.objects.classes[index]]
            numbers = [float(image.objects.scores[index]), *measures]
            score, *values = [None if math.isnan(number) else number for number in numbers]
            yield (image.original_name, image.image_id, index + 1, name, score, "px", *values)


def to_sixteen_digits(rows: Iterable[tuple[Any, ...]]) -> Rows:
    return [
        tuple(float(f"{cell:.15E}") if isinstance(cell, int | float) else cell for cell in row)
        for row in rows
    ]


def test_openpyxl_reads_the_measurements_of_every_object(dataset: Dataset, images: list[Image]) -> None:
    rows = sheets(ExcelWriter(dataset), images)["Objects"][1:]
    assert to_sixteen_digits(rows) == to_sixteen_digits(expected_objects(images))


def test_csv_reads_the_measurements_of_every_object(dataset: Dataset, images: list[Image]) -> None:
    rows = [
        (*row[:2], int(row[2]), row[3], number(row[4]), row[5], *map(number, row[6:]))
        for row in csv_rows(dataset, images)[1:]
    ]
    assert rows == list(expected_objects(images))


def test_json_reads_the_measurements_of_every_object(dataset: Dataset, images: list[Image]) -> None:
    content = json.loads(written(JsonWriter(dataset), images))
    rows = [
        (image["image"], image["image_id"], row[0], *row[1:3], image["unit"], *row[3:])
        for image in content["images"]
        for row in zip(*image["objects"].values(), strict=True)
    ]
    assert rows == list(expected_objects(images))


def test_csv_begins_with_a_byte_order_mark_and_ends_its_lines_as_rfc_4180(
    dataset: Dataset, images: list[Image]
) -> None:
    content = written(CsvWriter(dataset), images)
    assert content.startswith(b"\xef\xbb\xbfimage,image_id,object_id,class,score,unit,area (px\xc2\xb2),")
    assert content.count(b"\r\n") == content.count(b"\n") == 4


def test_a_value_that_does_not_exist_is_an_empty_cell_everywhere(tmp_path: Path) -> None:
    image = image_of(objects_of([[POINT]]))
    dataset = dataset_of(tmp_path, image)
    solidity = 6 + [column.name for column in MEASURES].index("solidity")
    assert sheets(ExcelWriter(dataset), [image])["Objects"][1][solidity] is None
    assert csv_rows(dataset, [image])[1][solidity] == ""
    objects = json.loads(written(JsonWriter(dataset), [image]))["images"][0]["objects"]
    assert objects["solidity"] == [None]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_of_a_user_is_run_by_a_spreadsheet(tmp_path: Path, start: str) -> None:
    image = image_of(objects_of([[square(0, 0, 1)]]), original_name=f"{start}cmd()", name="a.png")
    dataset = dataset_of(tmp_path, image, class_names=(f"{start}1",), project_name=f"{start}2")
    found = sheets(ExcelWriter(dataset), [image])
    texts = [found["Objects"][1][0], found["Objects"][1][3], found["Images"][1][0], found["Summary"][0][1]]
    row = csv_rows(dataset, [image])[1]
    assert all(text.startswith("'") for text in (*texts, row[0], row[3]))


def test_markup_in_names_stays_text(tmp_path: Path) -> None:
    name = "a<b>&amp;\"'x, y\n_x0041_.png"
    image = image_of(objects_of([[square(0, 0, 1)]]), original_name=name)
    dataset = dataset_of(tmp_path, image)
    found = sheets(ExcelWriter(dataset), [image])["Objects"][1][0]
    assert found.replace("_x005F_", "_") == name
    assert csv_rows(dataset, [image])[1][0] == name
    assert json.loads(written(JsonWriter(dataset), [image]))["images"][0]["image"] == name


def test_a_full_sheet_goes_on_in_the_next_one_with_the_same_header(tmp_path: Path) -> None:
    images = [image_of(objects_of(*[[[square(0, 0, n + 1)]] for n in range(7)]), number=n) for n in (1, 2)]
    found = sheets(ExcelWriter(dataset_of(tmp_path, *images), max_rows=6), images)
    assert list(found) == ["Objects", "Images", "Summary", "Columns", "Objects 2", "Objects 3"]
    assert [len(found[title]) for title in ("Objects", "Objects 2", "Objects 3")] == [6, 6, 5]
    assert found["Objects"][0] == found["Objects 2"][0] == found["Objects 3"][0]
    numbers = [row[2] for title in ("Objects", "Objects 2", "Objects 3") for row in found[title][1:]]
    assert numbers == [1, 2, 3, 4, 5, 6, 7] * 2


@pytest.mark.parametrize("table", [ExcelWriter, CsvWriter, JsonWriter])
def test_the_same_images_give_the_same_bytes(
    tmp_path: Path, images: list[Image], table: Callable[[Dataset], Writer]
) -> None:
    contents = set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        contents.add(written(table(dataset_of(folder, *images, class_names=("a", "b"))), images))
    assert len(contents) == 1


def test_images_without_objects_are_in_the_images_and_nowhere_else(tmp_path: Path) -> None:
    images = [image_of(number=number) for number in range(1, 17)]
    dataset = dataset_of(tmp_path, *images)
    found = sheets(ExcelWriter(dataset), images)
    assert [len(found["Objects"]), len(found["Images"]), len(csv_rows(dataset, images))] == [1, 17, 1]
    assert len(json.loads(written(JsonWriter(dataset), images))["images"]) == 16


def test_no_images_at_all_make_tables_with_headers_only(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path)
    assert len(sheets(ExcelWriter(dataset), [])["Objects"]) == len(csv_rows(dataset, [])) == 1
    assert json.loads(written(JsonWriter(dataset), []))["images"] == []


@pytest.mark.parametrize(
    ("sizes", "header"),
    [([None, None], "area (px²)"), ([0.5, 2.0], "area (µm²)"), ([0.5, None], "area [unit²]")],
)
def test_the_header_says_the_unit_that_all_rows_share(
    tmp_path: Path, sizes: list[float | None], header: str
) -> None:
    images = [
        image_of(objects_of([[square(0, 0, 2)]]), number=number, pixel_size=size)
        for number, size in enumerate(sizes, 1)
    ]
    dataset = dataset_of(tmp_path, *images)
    assert sheets(ExcelWriter(dataset), images)["Objects"][0][6] == csv_rows(dataset, images)[0][6] == header


def test_rows_of_different_units_say_theirs(tmp_path: Path) -> None:
    objects = objects_of([[square(0, 0, 2)]])
    images = [image_of(objects, number=1, pixel_size=0.5), image_of(objects, number=2)]
    rows = csv_rows(dataset_of(tmp_path, *images), images)[1:]
    assert [(row[5], float(row[6])) for row in rows] == [("µm", 1.0), ("px", 4.0)]


def test_the_summary_keeps_images_of_different_units_apart(tmp_path: Path) -> None:
    objects = objects_of([[square(0, 0, 2)]], [[square(0, 0, 4)]])
    images = [image_of(objects, number=1, pixel_size=0.5), image_of(objects, number=2)]
    summary = sheets(ExcelWriter(dataset_of(tmp_path, *images)), images)["Summary"]
    areas = [row for row in summary if row[0] == "area"]
    assert [row[1:5] for row in areas] == [("px", "px²", 2, 10), ("µm", "µm²", 2, 2.5)]
    assert areas[0][5:] == (pytest.approx(math.sqrt(72)), 4, 16)


def test_the_summary_counts_what_was_written(dataset: Dataset, images: list[Image]) -> None:
    summary = sheets(ExcelWriter(dataset), images)["Summary"]
    assert [row[:2] for row in summary[:3]] == [("Project", "Project"), ("Images", 3), ("Objects", 3)]


def test_the_sheet_images_has_a_row_an_image(dataset: Dataset, images: list[Image]) -> None:
    rows = sheets(ExcelWriter(dataset), images)["Images"][1:]
    count = 3 + [column.name for column in IMAGE_MEASURES].index("object_count")
    assert [row[count] for row in rows] == [2, 1, 0]


def test_sheets_stand_in_their_order_and_numbers_are_numbers(dataset: Dataset, images: list[Image]) -> None:
    found = sheets(ExcelWriter(dataset), images)
    assert list(found) == ["Objects", "Images", "Summary", "Columns"]
    assert {type(cell) for row in found["Objects"][1:] for cell in row[6:]} <= {int, float, type(None)}


def test_the_sheet_columns_explains_every_header(dataset: Dataset, images: list[Image]) -> None:
    found = sheets(ExcelWriter(dataset), images)
    explained = [row[2] for row in found["Columns"][1:] if row[0] == "objects"]
    assert explained == list(found["Objects"][0])
