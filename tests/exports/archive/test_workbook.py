from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from exports.archive.workbook import Sheet, cell, number_cells, row, text_cell, write_workbook

CREATED = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


def workbook_of(folder: Path, rows: list[bytes]) -> Path:
    sheet = Sheet(folder, "Numbers", ("a", "b"))
    sheet.append(rows)
    write_workbook(folder / "book.xlsx", sheet.finish(), CREATED)
    return folder / "book.xlsx"


def test_openpyxl_reads_back_texts_numbers_and_gaps(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, [row([cell("x"), cell(0.1)]), row([cell(None), cell(-3)])])
    (sheet,) = openpyxl.load_workbook(path).worksheets
    assert list(sheet.iter_rows(values_only=True)) == [("a", "b"), ("x", 0.1), (None, -3)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_what_is_not_a_number_is_an_empty_cell(value: float | None) -> None:
    assert cell(value) == b"<c/>"
    if value is not None:
        assert number_cells(np.array([[value, 1.0]])) == [b"<c/><c><v>1.0</v></c>"]


def test_numbers_read_back_to_the_last_digit(tmp_path: Path) -> None:
    numbers = np.array([[1 / 3, 1e-300], [2**53 + 1.0, -1.7976931348623157e308]])
    path = workbook_of(tmp_path, [row([cells]) for cells in number_cells(numbers)])
    (sheet,) = openpyxl.load_workbook(path).worksheets
    assert list(sheet.iter_rows(min_row=2, values_only=True)) == [tuple(line) for line in numbers.tolist()]


def test_characters_that_xml_cannot_hold_are_written_as_excel_writes_them() -> None:
    assert b">a_x0000_b_x001F_c_x000D_d_x005F_x0041_<" in text_cell("a\x00b\x1fc\rd_x0041_")


def test_text_is_cut_to_what_excel_opens(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, [row([text_cell("\N{MICROSCOPE}" * 20_000)])])
    (sheet,) = openpyxl.load_workbook(path).worksheets
    assert len(sheet["A2"].value.encode("utf-16-le")) / 2 <= 32_767


def test_every_entry_has_the_time_of_the_newest_change(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, [])
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        assert {entry.date_time for entry in package.infolist()} == {(2026, 3, 4, 5, 6, 8)}
    assert openpyxl.load_workbook(path).properties.created == CREATED.replace(tzinfo=None)


def test_the_header_stays_in_sight_and_is_bold(tmp_path: Path) -> None:
    content = io.BytesIO(workbook_of(tmp_path, []).read_bytes())
    (sheet,) = openpyxl.load_workbook(content).worksheets
    assert (sheet.title, sheet.freeze_panes, sheet["A1"].font.bold) == ("Numbers", "A2", True)


def test_rows_that_just_fill_a_sheet_open_no_further_one(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path, "Rows", ("a",), max_rows=3)
    sheet.append([row([cell(1)])] * 2)
    write_workbook(tmp_path / "book.xlsx", sheet.finish(), CREATED)
    assert openpyxl.load_workbook(tmp_path / "book.xlsx").sheetnames == ["Rows"]
