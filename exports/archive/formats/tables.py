"""The measurements as tables; `METRICS.md` defines the columns, `metrics/columns.csv` lists them.

All tables hold the same numbers from one computation: CSV and JSON with all their digits, XLSX with 16, one
more than a spreadsheet shows.

- `metrics.xlsx`: the sheets Objects, Images, Summary and Columns. More objects than a sheet has rows go on in
  "Objects 2" and so on, behind these and under the same header. The summary keeps images with and without a
  scale apart.
- `metrics.csv`: the rows of the sheet Objects in UTF-8 with a byte order mark, commas between cells, a point in
  numbers.
- `metrics.json`: a list of images, each with its own measures and, under `objects`, one array a column.

Intensities, where they were asked for, are further columns, six a channel. A value that does not exist is an
empty cell, `null` in JSON. Text in XLSX and CSV that a spreadsheet would run as a formula has an apostrophe in
front; JSON has it as it is.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from exports.archive.cells import csv_row
from exports.archive.columns import (
    COLUMN_HEADERS,
    IMAGE_COLUMNS,
    IMAGE_MEASURES,
    Column,
    column_rows,
    described,
    headers,
    object_columns,
    object_measures,
)
from exports.archive.dataset import Dataset, Image
from exports.archive.measure import Measurements, measurements_of
from exports.archive.summary import Summary
from exports.archive.workbook import MAX_ROWS, Cell, Table, begin_workbook, finish_workbook
from exports.archive.zipping import Entry, Spool

STATISTICS = ("measure", "lengths in", "unit", "objects", "mean", "standard deviation", "min", "max")

LABEL_WIDTHS = {"image": 36, "image_id": 38, "class": 18}
ROWS_BETWEEN_CHECKS = 2_000
SUMMARY_WIDTHS = (24, 24, 8, 10, 20, 20, 20, 20)
COLUMNS_WIDTHS = (10, 24, 30, 10, 10, 100)
"""Of columns, in characters."""


class ExcelWriter:
    """Sheets Objects, Images, Summary, Columns; full sheets go on in "Objects 2" and so on, behind them."""

    def __init__(self, dataset: Dataset, max_rows: int = MAX_ROWS) -> None:
        self._dataset = dataset
        self._path = dataset.workspace / "metrics.xlsx"
        self._workbook = begin_workbook(self._path, dataset.changed_at, dataset.checkpoint)
        self._measures = object_measures(dataset.channels)
        self._objects = self._measured_table("Objects", object_columns(dataset.channels), max_rows)
        self._images = self._measured_table("Images", IMAGE_COLUMNS, max_rows)
        self._summary = Table(self._workbook, "Summary", ("Project", dataset.project_name), SUMMARY_WIDTHS)
        self._columns = Table(self._workbook, "Columns", COLUMN_HEADERS, COLUMNS_WIDTHS)
        self._summaries: dict[str, Summary] = {}
        self._image_count = self.objects = 0

    def add(self, image: Image) -> Iterator[Entry]:
        measured = measurements_of(image, self._dataset)
        for number, cells in enumerate(self._object_rows(image, measured)):
            self._objects.append(cells)
            self.objects += 1
            if number % ROWS_BETWEEN_CHECKS == 0:
                self._dataset.checkpoint()
        labels = (image.original_name, image.image_id, measured.unit)
        self._images.append((*labels, *measured.image.tolist()))
        self._summary_of(measured.unit).add(measured.objects)
        self._image_count += 1
        return iter(())

    def finish(self) -> Iterator[Entry]:
        for cells in self._summary_rows():
            self._summary.append(cells)
        for texts in column_rows(self._dataset.unit, self._dataset.channels):
            self._columns.append(texts)
        finish_workbook(self._workbook)
        yield Entry("metrics/metrics.xlsx", self._path)

    def _measured_table(self, title: str, columns: tuple[Column, ...], max_rows: int) -> Table:
        header = headers(columns, self._dataset.unit)
        widths = [
            LABEL_WIDTHS.get(column.name, len(text) + 2) for column, text in zip(columns, header, strict=True)
        ]
        return Table(self._workbook, title, header, widths, max_rows)

    def _object_rows(self, image: Image, measured: Measurements) -> Iterator[Sequence[Cell]]:
        name, image_id, unit = image.original_name, image.image_id, measured.unit
        class_names = self._dataset.class_names
        objects = zip(
            image.objects.classes.tolist(),
            image.objects.scores.tolist(),
            measured.objects.tolist(),
            strict=True,
        )
        for object_id, (index, score, measures) in enumerate(objects, 1):
            yield name, image_id, object_id, class_names[index], score, unit, *measures

    def _summary_of(self, unit: str) -> Summary:
        return self._summaries.setdefault(unit, Summary.of_columns(len(self._measures)))

    def _summary_rows(self) -> Iterator[Sequence[Cell]]:
        """Images with and without a scale are summed up apart: their lengths cannot be averaged."""
        yield "Images", self._image_count
        yield "Objects", self.objects
        yield "Newest change", f"{self._dataset.changed_at:%Y-%m-%dT%H:%M:%SZ}"
        yield ()
        yield STATISTICS
        for unit, summary in sorted(self._summaries.items()):
            for column, numbers in zip(self._measures, summary.rows().tolist(), strict=True):
                if column.kind != "angle":
                    yield column.name, unit, column.unit(unit), int(numbers[0]), *numbers[1:]


class CsvWriter:
    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.objects = 0
        self._classes = [_csv_cells(name) for name in dataset.class_names]
        self._spool = Spool(dataset.workspace)
        self._spool.write(codecs.BOM_UTF8 + csv_row(headers(object_columns(dataset.channels), dataset.unit)))

    def add(self, image: Image) -> Iterator[Entry]:
        measured = measurements_of(image, self._dataset)
        before, unit = _csv_cells(image.original_name, image.image_id), measured.unit.encode()
        scores, numbers = _csv_numbers(image.objects.scores[:, None]), _csv_numbers(measured.objects)
        classes = [self._classes[index] for index in image.objects.classes.tolist()]
        rows = enumerate(zip(classes, scores, numbers, strict=True), 1)
        lines = [
            b"%b,%d,%b,%b,%b,%b\r\n" % (before, object_id, name, score, unit, cells)
            for object_id, (name, score, cells) in rows
        ]
        self._spool.write(b"".join(lines))
        self.objects += len(lines)
        return iter(())

    def finish(self) -> Iterator[Entry]:
        yield Entry("metrics/metrics.csv", self._spool)


class JsonWriter:
    """Names stand as they are: nothing runs them here."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self._measures = dataset, object_measures(dataset.channels)
        self._separator = b"\n"
        self.objects = 0
        self._spool = Spool(dataset.workspace)
        head = {
            "project": dataset.project_name,
            "unit": dataset.unit,
            "image_columns": described(IMAGE_COLUMNS, dataset.unit),
            "object_columns": described(object_columns(dataset.channels), dataset.unit),
        }
        self._spool.write(orjson.dumps(head)[:-1] + b',"images":[')

    def add(self, image: Image) -> Iterator[Entry]:
        measured = measurements_of(image, self._dataset)
        labels = {"image": image.original_name, "image_id": image.image_id, "unit": measured.unit}
        of_image = dict(zip((column.name for column in IMAGE_MEASURES), measured.image.tolist(), strict=True))
        columns = self._columns(image, measured)
        counted = {"object_count": len(image.objects), "objects": columns}
        content = orjson.dumps(labels | of_image | counted, option=orjson.OPT_SERIALIZE_NUMPY)
        self._spool.write(self._separator + content)
        self._separator = b",\n"
        self.objects += len(columns["object_id"])
        return iter(())

    def finish(self) -> Iterator[Entry]:
        self._spool.write(b"\n]}\n")
        yield Entry("metrics/metrics.json", self._spool)

    def _columns(self, image: Image, measured: Measurements) -> dict[str, Any]:
        columns = np.ascontiguousarray(measured.objects.T)
        return {
            "object_id": np.arange(1, len(image.objects) + 1),
            "class": [self._dataset.class_names[index] for index in image.objects.classes.tolist()],
            "score": image.objects.scores,
        } | {column.name: values for column, values in zip(self._measures, columns, strict=True)}


def _csv_cells(*texts: str) -> bytes:
    return csv_row(texts).removesuffix(b"\r\n")


def _csv_numbers(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[bytes]:
    """The numbers of each row, with the fewest digits that read back equal; NaN is empty."""
    if not values.size:
        return []
    digits = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
    return digits.replace(b"null", b"").split(b"],[")
