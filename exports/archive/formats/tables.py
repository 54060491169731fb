"""The measurements as tables; `METRICS.md` defines the columns, `metrics/columns.csv` lists them.

All tables hold the same numbers, with all the digits that were computed, from one computation.

- `metrics.xlsx`: the sheets Objects, Images, Summary and Columns. More objects than a sheet has rows go on in
  "Objects 2" and so on, under the same header. The summary keeps images with and without a scale apart.
- `metrics.csv`: the rows of the sheet Objects in UTF-8 with a byte order mark, commas between cells, a point in
  numbers.
- `metrics.json`: a list of images, each with its own measures and, under `objects`, one array a column.

A value that does not exist is an empty cell, `null` in JSON. Text in XLSX and CSV that a spreadsheet would run
as a formula has an apostrophe in front; JSON has it as it is.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from exports.archive import workbook
from exports.archive.cells import csv_row
from exports.archive.columns import (
    COLUMN_HEADERS,
    IMAGE_COLUMNS,
    IMAGE_MEASURES,
    MEASURES,
    OBJECT_COLUMNS,
    column_rows,
    described,
    headers,
)
from exports.archive.dataset import Dataset, Image
from exports.archive.measure import Measurements, measurements_of
from exports.archive.summary import Summary
from exports.archive.workbook import Sheet
from exports.archive.zipping import Entry, Spool

STATISTICS = ("measure", "lengths in", "unit", "objects", "mean", "standard deviation", "min", "max")


class ExcelWriter:
    """Sheets Objects, Images, Summary, Columns; full sheets go on in "Objects 2" and so on."""

    def __init__(self, dataset: Dataset, max_rows: int = workbook.MAX_ROWS) -> None:
        self._dataset = dataset
        folder, unit = dataset.workspace, dataset.unit
        self._objects = Sheet(folder, "Objects", headers(OBJECT_COLUMNS, unit), max_rows)
        self._images = Sheet(folder, "Images", headers(IMAGE_COLUMNS, unit), max_rows)
        self._classes = [workbook.text_cell(name) for name in dataset.class_names]
        self._summaries: dict[str, Summary] = {}
        self._image_count = self._object_count = 0

    def add(self, image: Image) -> Iterator[Entry]:
        measured = measurements_of(image)
        self._objects.append(self._object_rows(image, measured))
        self._images.append([self._image_row(image, measured)])
        self._summary(measured.unit).add(measured.objects)
        self._image_count += 1
        self._object_count += len(image.objects)
        return iter(())

    def finish(self) -> Iterator[Entry]:
        folder = self._dataset.workspace
        summary = Sheet(folder, "Summary", ("Project", self._dataset.project_name))
        summary.append([workbook.row(map(workbook.cell, cells)) for cells in self._summary_rows()])
        columns = Sheet(folder, "Columns", COLUMN_HEADERS)
        columns.append([workbook.row(map(workbook.cell, cells)) for cells in column_rows(self._dataset.unit)])
        tables = (self._objects, self._images, summary, columns)
        sheets = [sheet for table in tables for sheet in table.finish()]
        path = folder / "metrics.xlsx"
        workbook.write_workbook(path, sheets, self._dataset.changed_at)
        yield Entry("metrics/metrics.xlsx", path)

    def _object_rows(self, image: Image, measured: Measurements) -> list[bytes]:
        before = workbook.text_cell(image.original_name) + workbook.text_cell(image.image_id)
        unit = workbook.text_cell(measured.unit)
        scores = workbook.number_cells(image.objects.scores[:, None])
        numbers = workbook.number_cells(measured.objects)
        classes = [self._classes[index] for index in image.objects.classes.tolist()]
        return [
            b"<row>%b<c><v>%d</v></c>%b%b%b%b</row>" % (before, object_id, name, score, unit, cells)
            for object_id, (name, score, cells) in enumerate(zip(classes, scores, numbers, strict=True), 1)
        ]

    def _image_row(self, image: Image, measured: Measurements) -> bytes:
        labels = [workbook.text_cell(text) for text in (image.original_name, image.image_id, measured.unit)]
        return workbook.row([*labels, *workbook.number_cells(measured.image[None, :])])

    def _summary(self, unit: str) -> Summary:
        return self._summaries.setdefault(unit, Summary.of_columns(len(MEASURES)))

    def _summary_rows(self) -> Iterator[Sequence[str | float]]:
        """Images with and without a scale are summed up apart: their lengths cannot be averaged."""
        yield "Images", self._image_count
        yield "Objects", self._object_count
        yield "Newest change", f"{self._dataset.changed_at:%Y-%m-%dT%H:%M:%SZ}"
        yield ()
        yield STATISTICS
        for unit, summary in sorted(self._summaries.items()):
            for column, numbers in zip(MEASURES, summary.rows().tolist(), strict=True):
                if column.kind != "angle":
                    yield column.name, unit, column.unit(unit), int(numbers[0]), *numbers[1:]


class CsvWriter:
    def __init__(self, dataset: Dataset) -> None:
        self._classes = [_csv_cells(name) for name in dataset.class_names]
        self._spool = Spool(dataset.workspace)
        self._spool.write(codecs.BOM_UTF8 + csv_row(headers(OBJECT_COLUMNS, dataset.unit)))

    def add(self, image: Image) -> Iterator[Entry]:
        measured = measurements_of(image)
        before, unit = _csv_cells(image.original_name, image.image_id), measured.unit.encode()
        scores, numbers = _csv_numbers(image.objects.scores[:, None]), _csv_numbers(measured.objects)
        classes = [self._classes[index] for index in image.objects.classes.tolist()]
        rows = enumerate(zip(classes, scores, numbers, strict=True), 1)
        self._spool.write(
            b"".join(
                b"%b,%d,%b,%b,%b,%b\r\n" % (before, object_id, name, score, unit, cells)
                for object_id, (name, score, cells) in rows
            )
        )
        return iter(())

    def finish(self) -> Iterator[Entry]:
        yield Entry("metrics/metrics.csv", self._spool)


class JsonWriter:
    """Names stand as they are: nothing runs them here."""

    def __init__(self, dataset: Dataset) -> None:
        self._class_names = dataset.class_names
        self._separator = b"\n"
        self._spool = Spool(dataset.workspace)
        head = {
            "project": dataset.project_name,
            "unit": dataset.unit,
            "image_columns": described(IMAGE_COLUMNS, dataset.unit),
            "object_columns": described(OBJECT_COLUMNS, dataset.unit),
        }
        self._spool.write(orjson.dumps(head)[:-1] + b',"images":[')

    def add(self, image: Image) -> Iterator[Entry]:
        measured = measurements_of(image)
        labels = {"image": image.original_name, "image_id": image.image_id, "unit": measured.unit}
        of_image = dict(zip((column.name for column in IMAGE_MEASURES), measured.image.tolist(), strict=True))
        counted = {"object_count": len(image.objects), "objects": self._columns(image, measured)}
        content = orjson.dumps(labels | of_image | counted, option=orjson.OPT_SERIALIZE_NUMPY)
        self._spool.write(self._separator + content)
        self._separator = b",\n"
        return iter(())

    def finish(self) -> Iterator[Entry]:
        self._spool.write(b"\n]}\n")
        yield Entry("metrics/metrics.json", self._spool)

    def _columns(self, image: Image, measured: Measurements) -> dict[str, Any]:
        columns = np.ascontiguousarray(measured.objects.T)
        return {
            "object_id": np.arange(1, len(image.objects) + 1),
            "class": [self._class_names[index] for index in image.objects.classes.tolist()],
            "score": image.objects.scores,
        } | {column.name: values for column, values in zip(MEASURES, columns, strict=True)}


def _csv_cells(*texts: str) -> bytes:
    return csv_row(texts).removesuffix(b"\r\n")


def _csv_numbers(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[bytes]:
    """The numbers of each row, with the fewest digits that read back equal; NaN is empty."""
    if not values.size:
        return []
    digits = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
    return digits.replace(b"null", b"").split(b"],[")
