from __future__ import annotations

import pytest

from exports.archive.columns import IMAGE_COLUMNS, Column, Kind, object_columns


@pytest.mark.parametrize(
    ("kind", "length", "header"),
    [
        ("area", "µm", "x (µm²)"),
        ("area", "px", "x (px²)"),
        ("area", "mixed", "x [unit²]"),
        ("length", "px", "x (px)"),
        ("length", "mixed", "x [unit]"),
        ("angle", "mixed", "x (°)"),
        ("ratio", "µm", "x"),
        ("text", "mixed", "x"),
    ],
)
def test_a_header_is_the_name_and_the_unit(kind: Kind, length: str, header: str) -> None:
    assert Column("x", kind, "").header(length) == header


@pytest.mark.parametrize("columns", [object_columns(4), IMAGE_COLUMNS], ids=["objects", "images"])
def test_every_column_has_a_name_of_its_own_and_a_definition(columns: tuple[Column, ...]) -> None:
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.definition for column in columns)
