"""XLSX files (ECMA-376, SpreadsheetML) whose rows are bytes, written as the images pass.

Rows are XML joined from many cells at once and deflated as they come: no object a cell, which is what
takes the time in spreadsheet libraries. Cells carry no address, which the standard leaves optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import orjson
from numpy.typing import NDArray

from exports.archive.cells import neutralised
from exports.archive.zipping import Archive, Entry, Spool

MAX_ROWS = 1_048_576
"""Of a sheet, its header included (Excel specifications and limits)."""

MAX_TEXT = 16_383
"""Characters of a cell: Excel refuses a file with more than 32,767, and counts rare characters twice."""

EMPTY_CELL = b"<c/>"

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PROLOGUE = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Excel writes characters that XML cannot hold as _xHHHH_, so text that looks like it is escaped as well.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def text_cell(text: str, style: int = 0) -> bytes:
    """Text as it is, but neutralised and cut to MAX_TEXT; style 1 is bold."""
    written = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", neutralised(text[:MAX_TEXT]))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(written)}</t></is></c>'.encode()


def cell(value: str | float | None) -> bytes:
    """Numbers are numbers; NaN and the infinities are empty."""
    if isinstance(value, str):
        return text_cell(value)
    return EMPTY_CELL if value is None or not np.isfinite(value) else f"<c><v>{value!r}</v></c>".encode()


def number_cells(values: NDArray[np.float64]) -> list[bytes]:
    """The cells of each row of a matrix; NaN and the infinities are empty."""
    if not values.size:
        return []
    digits = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
    cells = digits.replace(b"],[", b"</v></c>\n<c><v>").replace(b",", b"</v></c><c><v>")
    filled = b"<c><v>" + cells + b"</v></c>"
    return filled.replace(b"<c><v>null</v></c>", EMPTY_CELL).split(b"\n")


def row(cells: Iterable[bytes]) -> bytes:
    return b"<row>" + b"".join(cells) + b"</row>"


class Sheet:
    """A table that goes on in a further sheet, with the same header, when one is full."""

    def __init__(self, workspace: Path, title: str, headers: Sequence[str], max_rows: int = MAX_ROWS) -> None:
        self._workspace, self._title, self._max_rows = workspace, title, max_rows
        self._header = row(text_cell(header, style=1) for header in headers)
        self._columns = len(headers)
        self._spools: list[Spool] = []
        self._room = 0
        self._begin()

    def append(self, rows: Sequence[bytes]) -> None:
        while len(rows) > self._room:
            fitting, rows = rows[: self._room], rows[self._room :]
            self._write(fitting)
            self._end()
            self._begin()
        self._write(rows)

    def finish(self) -> list[tuple[str, Spool]]:
        """Title and XML of each sheet; nothing can be appended afterwards."""
        self._end()
        titles = [self._title, *(f"{self._title} {number}" for number in range(2, len(self._spools) + 1))]
        return list(zip(titles, self._spools, strict=True))

    def _begin(self) -> None:
        head = (
            f'{_PROLOGUE}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            "</sheetView></sheetViews>"
            f'<cols><col min="1" max="{self._columns}" width="20" customWidth="1"/></cols><sheetData>'
        )
        self._spools.append(Spool(self._workspace))
        self._spools[-1].write(head.encode() + self._header)
        self._room = self._max_rows - 1

    def _end(self) -> None:
        self._spools[-1].write(b"</sheetData></worksheet>")

    def _write(self, rows: Sequence[bytes]) -> None:
        self._spools[-1].write(b"".join(rows))
        self._room -= len(rows)


def write_workbook(path: Path, sheets: Sequence[tuple[str, Spool]], created: datetime) -> None:
    """The same rows and time give the same bytes."""
    titles = [title for title, _ in sheets]
    with path.open("wb") as file:
        archive = Archive(file, created, checkpoint=lambda: None)
        for name, content in _parts(titles, created):
            archive.add(Entry(name, (_PROLOGUE + content).encode()))
        for number, (_, spool) in enumerate(sheets, 1):
            archive.add(Entry(f"xl/worksheets/sheet{number}.xml", spool))
        archive.close()


def _parts(titles: Sequence[str], created: datetime) -> list[tuple[str, str]]:
    """Everything but the sheets, in the order in which readers look for it."""
    return [
        ("[Content_Types].xml", _content_types(len(titles))),
        ("_rels/.rels", _package_relations()),
        ("docProps/core.xml", _properties(created)),
        ("xl/workbook.xml", _workbook(titles)),
        ("xl/_rels/workbook.xml.rels", _workbook_relations(len(titles))),
        ("xl/styles.xml", _styles()),
    ]


def _content_types(count: int) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for number in range(1, count + 1)
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
        '<Override PartName="/docProps/core.xml"'
        ' ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        f"{sheets}</Types>"
    )


def _package_relations() -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties"'
        ' Target="docProps/core.xml"/></Relationships>'
    )


def _properties(created: datetime) -> str:
    moment = f"{created:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
        f'<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified></cp:coreProperties>'
    )


def _workbook(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name="{escape(title)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(titles, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>'


def _workbook_relations(count: int) -> str:
    sheets = [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, count + 1)]
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate([*sheets, ("styles", "styles.xml")], 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'


def _styles() -> str:
    """Style 0 is plain, style 1 bold; Excel insists on the two fills."""
    font = '<sz val="11"/><name val="Calibri"/>'
    return (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
