"""XLSX files by XlsxWriter in constant memory: rows go to temporary files in the workspace as they come.

Text is always written as text, whatever it looks like, and a value that does not exist leaves its cell empty.
A row of 33 cells costs 0.15 ms of processor, about 14 times as much as plain XML would: the price of leaving
a file format with that many rules to a library that is compared with Excel's own files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from io import FileIO
from math import isfinite
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from exports.archive.cells import neutralised

MAX_ROWS = 1_048_576
"""Of a sheet, its header included (Excel specifications and limits)."""

Cell = str | float


class WatchedFile(FileIO):
    """A new file whose every write is preceded by a call: packing a large workbook takes minutes."""

    def __init__(self, path: Path, checkpoint: Callable[[], None]) -> None:
        super().__init__(path, "w+")
        self._checkpoint = checkpoint

    def write(self, chunk: Any, /) -> int:
        self._checkpoint()
        return super().write(chunk)


def begin_workbook(path: Path, created: datetime, checkpoint: Callable[[], None]) -> Workbook:
    """A workbook at `path` that keeps its temporary files beside it; `checkpoint` is called while it is packed.

    The same cells and `created` (UTC) give the same bytes.
    """
    workbook = Workbook(
        WatchedFile(path, checkpoint),
        {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "use_zip64": True,
        },
    )
    workbook.set_properties({"created": created})
    return workbook


def finish_workbook(workbook: Workbook) -> None:
    """Write the file and remove the temporary ones. Raise OSError as the disk did."""
    try:
        workbook.close()
    except FileCreateError as error:
        # XlsxWriter hides the OSError, and with it that a disk is full.
        raise error.args[0] from None
    finally:
        workbook.filename.close()


class Table:
    """Rows under a header that stays in sight; when a sheet is full they go on in a further one."""

    def __init__(
        self,
        workbook: Workbook,
        title: str,
        header: Sequence[str],
        widths: Sequence[int],
        max_rows: int = MAX_ROWS,
    ) -> None:
        """`widths` of the columns, in characters."""
        self._workbook, self._title = workbook, title
        self._header, self._widths = header, widths
        self._max_rows = max_rows
        self._bold = workbook.add_format({"bold": True})
        self._begin_sheet(title)
        self._sheet_count = 1

    def append(self, cells: Iterable[Cell]) -> None:
        """Write one row; NaN and the infinities leave their cells empty."""
        if self._row == self._max_rows:
            self._sheet_count += 1
            self._begin_sheet(f"{self._title} {self._sheet_count}")
        row, write_number, write_string = self._row, self._sheet.write_number, self._sheet.write_string
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                write_string(row, column, text_cell(cell))
            elif isfinite(cell):
                write_number(row, column, cell)
        self._row += 1

    def _begin_sheet(self, title: str) -> None:
        self._sheet = self._workbook.add_worksheet(title)
        self._sheet.freeze_panes(1, 0)
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, width)
        for column, text in enumerate(self._header):
            self._sheet.write_string(0, column, text_cell(text), self._bold)
        self._row = 1


def text_cell(text: str) -> str:
    """The text, with an apostrophe in front where it would be run, or taken for markup.

    In constant memory XlsxWriter writes a string that begins with `<r>` and ends with `</r>` into the XML
    unescaped, because it takes it for its own rich text.
    """
    return f"'{text}" if text.startswith("<r>") else neutralised(text)
