"""All tables of one export, read by pandas, pyarrow, calamine and frictionless: the same numbers, types that hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exports.archive.columns import object_columns
from exports.archive.formats import METRICS
from exports.archive.guide.metrics_guide import columns_csv
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square
from tests.judges import ask, needs_judges

CHANNELS = 3
TRIANGLE = np.array([(0.1, 1 / 3), (30, 0.7), (11 / 7, 29)])
Table = list[list[Any]]


def written(folder: Path) -> Path:
    """A folder with every table, of images with and without objects, a scale, and values that do not exist."""
    (folder / "images").mkdir()
    several = objects_of(
        [[square(0, 0, 10), square(3, 3, 4)]],
        [[TRIANGLE]],
        [[np.ones((3, 2))]],
        scores=[0.1 + 0.2, np.nan, 1],
    )
    one = objects_of([[square(1.1, 2.3, 17.7)]], classes=[1])
    images = [
        image_of(several, folder / "images", number=1, pixel_size=0.26),
        image_of(one, folder / "images", number=2, original_name='né, "b" 🧫.png'),
        image_of(folder=folder / "images", number=3),
    ]
    dataset = dataset_of(folder, *images, class_names=("cell", "nucleus"), channels=CHANNELS)
    for part in METRICS:
        writer = part.writer(dataset)
        for entry in [*(entry for image in images for entry in writer.add(image)), *writer.finish()]:
            (folder / Path(entry.path).name).write_bytes(content_of(entry))
    (folder / "columns.csv").write_bytes(columns_csv(dataset))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def read(folder: Path) -> dict[str, Any]:
    answer: dict[str, Any] = ask("tables", folder)
    return answer


def to_sixteen_digits(table: Table) -> Table:
    return [[float(f"{cell:.15E}") if isinstance(cell, float) else cell for cell in row] for row in table]


@needs_judges
@pytest.mark.parametrize("reader", ["csv by pandas", "parquet by pandas", "parquet by pyarrow"])
def test_the_tables_are_equal_to_the_last_bit(read: dict[str, Any], reader: str) -> None:
    expected = read["json"]
    assert len(expected) == 5
    assert sum(isinstance(cell, float) for row in expected for cell in row) > 100
    assert read[reader] == expected


@needs_judges
def test_the_workbook_has_the_same_table_to_sixteen_digits(read: dict[str, Any]) -> None:
    assert to_sixteen_digits(read["xlsx by calamine"]) == to_sixteen_digits(read["json"])


@needs_judges
def test_parquet_has_types_without_conversion(read: dict[str, Any]) -> None:
    expected = {"text": ("string", "object"), "count": ("int32", "int32")}
    for column in object_columns(CHANNELS):
        found = (read["types"][column.header("mixed")], read["dtypes"][column.header("mixed")])
        assert found == expected.get(column.kind, ("double", "float64"))


@needs_judges
def test_each_field_of_parquet_says_its_unit_and_definition(read: dict[str, Any]) -> None:
    for column in object_columns(CHANNELS):
        about = {"name": column.name, "unit": column.unit("unit"), "definition": column.definition}
        assert read["metadata"][column.header("mixed")] == about


@needs_judges
def test_frictionless_finds_what_the_dictionary_promises(folder: Path) -> None:
    table, dictionary = ask("dictionary", folder)
    assert table == {"errors": [], "warnings": [], "rows": 4}
    assert (dictionary["errors"], dictionary["warnings"]) == ([], [])


@needs_judges
def test_frictionless_would_find_a_cell_of_another_type(folder: Path, tmp_path: Path) -> None:
    table = (folder / "metrics.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "metrics.csv").write_text(
        table.replace(",0.30000000000000004,", ",much,"), encoding="utf-8-sig"
    )
    (tmp_path / "columns.csv").write_bytes((folder / "columns.csv").read_bytes())
    assert "type-error" in json.dumps(ask("dictionary", tmp_path)[0]["errors"])
