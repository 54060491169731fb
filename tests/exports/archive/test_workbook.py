from __future__ import annotations

import math
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from exports.archive.workbook import Cell, Table, begin_workbook, finish_workbook

CREATED = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


def workbook_of(folder: Path, rows: Iterable[Sequence[Cell]], max_rows: int = 100) -> Path:
    workbook = begin_workbook(folder / "book.xlsx", CREATED, lambda: None)
    table = Table(workbook, "Numbers", ("a", "b"), (10, 20), max_rows)
    for row in rows:
        table.append(row)
    finish_workbook(workbook)
    return folder / "book.xlsx"


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    """Of the first sheet, without the header."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return list(sheet.iter_rows(min_row=2, values_only=True))


def test_openpyxl_reads_back_texts_numbers_and_gaps(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, [("x", 0.1), (math.nan, -3), (), ("y", 2**53)])
    assert rows_of(path) == [("x", 0.1), (None, -3), (None, None), ("y", 2**53)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_an_empty_cell(tmp_path: Path, value: float) -> None:
    assert rows_of(workbook_of(tmp_path, [(value, 1.5)])) == [(None, 1.5)]


@pytest.mark.parametrize("number", [1 / 3, 1e-300, 2**53 + 2.0, -1.7976931348623e308])
def test_numbers_read_back_to_sixteen_digits(tmp_path: Path, number: float) -> None:
    ((read, _),) = rows_of(workbook_of(tmp_path, [(number, 0)]))
    assert f"{read:.15E}" == f"{number:.15E}"


@pytest.mark.parametrize(
    "text", ["1", "1e5", "nan", "https://x.org/", "mailto:a@b.org", "internal:A1", "{=1}"]
)
def test_text_that_looks_like_something_else_stays_text(tmp_path: Path, text: str) -> None:
    cell = openpyxl.load_workbook(workbook_of(tmp_path, [(text,)])).worksheets[0]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n"])
def test_text_that_would_be_run_gets_an_apostrophe(tmp_path: Path, start: str) -> None:
    assert rows_of(workbook_of(tmp_path, [("x", f"{start}1")])) == [("x", f"'{start}1")]


def test_text_cannot_pass_itself_off_as_the_markup_of_rich_text(tmp_path: Path) -> None:
    text = "<r><t>x</t></r><r><evil></r>"
    assert rows_of(workbook_of(tmp_path, [("x", text)])) == [("x", f"'{text}")]


def test_characters_that_xml_cannot_hold_are_written_as_excel_writes_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(workbook_of(tmp_path, [("a\x00b\x1fc\rd_x0041_\uffff",)])) as package:
        sheet = package.read("xl/worksheets/sheet1.xml")
    assert b">a_x0000_b_x001F_c_x000D_d_x005F_x0041__xFFFF_<" in sheet


def test_text_is_cut_to_what_excel_opens(tmp_path: Path) -> None:
    ((text, _),) = rows_of(workbook_of(tmp_path, [("\N{MICROSCOPE}" * 20_000, 1)]))
    assert len(text.encode("utf-16-le")) / 2 <= 32_767


def test_no_time_but_that_of_the_newest_change_is_in_the_file(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, [])
    with zipfile.ZipFile(path) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 31, 0, 0, 0)}
    properties = openpyxl.load_workbook(path).properties
    assert properties.created == properties.modified == CREATED.replace(tzinfo=None)


def test_the_header_stays_in_sight_and_is_bold_over_columns_of_their_widths(tmp_path: Path) -> None:
    (sheet,) = openpyxl.load_workbook(workbook_of(tmp_path, [("x", 1)])).worksheets
    assert (sheet.title, sheet.freeze_panes) == ("Numbers", "A2")
    assert (sheet["A1"].font.bold, sheet["A2"].font.bold) == (True, False)
    assert [round(sheet.column_dimensions[name].width) for name in "AB"] == [11, 21]


def test_rows_that_just_fill_a_sheet_open_no_further_one(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, [(1, 2)] * 2, max_rows=3)
    assert openpyxl.load_workbook(path).sheetnames == ["Numbers"]


def test_the_row_after_a_full_sheet_stands_in_the_next_under_the_same_header(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(workbook_of(tmp_path, [(1, 2)] * 2 + [(3, 4)], max_rows=3))
    assert book.sheetnames == ["Numbers", "Numbers 2"]
    assert list(book["Numbers 2"].iter_rows(values_only=True)) == [("a", "b"), (3, 4)]


def test_tables_may_grow_side_by_side(tmp_path: Path) -> None:
    workbook = begin_workbook(tmp_path / "book.xlsx", CREATED, lambda: None)
    tables = [Table(workbook, title, ("n",), (8,), max_rows=4) for title in ("A", "B")]
    for number in range(5):
        for sign, table in zip((1, -1), tables, strict=True):
            table.append([sign * number])
    finish_workbook(workbook)
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    found = {sheet.title: [cell.value for cell in sheet["A"][1:]] for sheet in book}
    assert found == {"A": [0, 1, 2], "B": [0, -1, -2], "A 2": [3, 4], "B 2": [-3, -4]}


def test_nothing_temporary_stays_and_none_of_it_lies_elsewhere(tmp_path: Path) -> None:
    workbook = begin_workbook(tmp_path / "book.xlsx", CREATED, lambda: None)
    Table(workbook, "A", ("n",), (8,))
    assert len(list(tmp_path.iterdir())) == 2
    finish_workbook(workbook)
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


def test_what_the_disk_refuses_is_an_os_error(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    workbook = begin_workbook(folder / "book.xlsx", CREATED, lambda: None)
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError):
        finish_workbook(workbook)


def test_packing_can_be_ended_from_outside(tmp_path: Path) -> None:
    def end() -> None:
        raise InterruptedError

    workbook = begin_workbook(tmp_path / "book.xlsx", CREATED, end)
    Table(workbook, "A", ("n",), (8,)).append([1])

    with pytest.raises(InterruptedError):
        finish_workbook(workbook)
