from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from exports.archive.columns import IMAGE_COLUMNS, object_columns
from exports.archive.guide.metrics_guide import columns_csv, metrics_entries, metrics_guide
from tests.exports.archive.builders import dataset_of


def test_the_guide_defines_every_column_with_its_unit(tmp_path: Path) -> None:
    lines = metrics_guide(dataset_of(tmp_path, unit="µm")).decode().splitlines()
    for column in object_columns(0) + IMAGE_COLUMNS:
        assert f"| {column.name} | {column.unit('µm')} | {column.definition} |" in lines


def test_the_guide_defines_intensities_where_they_were_measured(tmp_path: Path) -> None:
    without, found = (metrics_guide(dataset_of(tmp_path, channels=count)).decode() for count in (0, 2))
    assert "## Intensities" in found
    assert "intensity" not in without
    for column in object_columns(2):
        assert f"| {column.name} | {column.unit('px')} | {column.definition} |" in found.splitlines()


def test_the_dictionary_has_the_columns_of_every_channel(tmp_path: Path) -> None:
    text = columns_csv(dataset_of(tmp_path, channels=4)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["column"] for row in rows if row["kind"] == "intensity"] == [
        f"intensity_{name}_c{channel}"
        for channel in (1, 2, 3, 4)
        for name in ("mean", "std", "min", "max", "median", "integrated")
    ]


@pytest.mark.parametrize(
    ("unit", "sentence"), [("µm", "are in µm,"), ("px", "No image has a scale"), ("mixed", "Do not average")]
)
def test_the_guide_says_the_unit_of_this_export(tmp_path: Path, unit: str, sentence: str) -> None:
    assert sentence in metrics_guide(dataset_of(tmp_path, unit=unit)).decode()


def test_the_guide_says_when_the_scale_was_given_with_the_export(tmp_path: Path) -> None:
    guide = metrics_guide(dataset_of(tmp_path, unit="µm", scale_override=0.25)).decode()
    assert "0.25 µm per pixel was given with the export" in guide


def test_every_table_of_the_guide_is_well_formed(tmp_path: Path) -> None:
    tables = metrics_guide(dataset_of(tmp_path, channels=3)).decode().split("\n\n")
    for table in (lines.strip().splitlines() for lines in tables if lines.startswith("|")):
        assert {line.count(" | ") for line in table if not line.startswith("|---")} == {2}


def test_columns_csv_has_a_row_for_every_column(tmp_path: Path) -> None:
    text = columns_csv(dataset_of(tmp_path)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["column"] for row in rows] == [column.name for column in object_columns(0) + IMAGE_COLUMNS]
    assert next(row for row in rows if row["column"] == "area")["header"] == "area (px²)"


def test_the_explanations_have_their_places_in_the_archive(tmp_path: Path) -> None:
    paths = [entry.path for entry in metrics_entries(dataset_of(tmp_path))]
    assert paths == ["metrics/columns.csv", "documentation/METRICS.md"]
