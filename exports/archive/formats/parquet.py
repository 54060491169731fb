"""A row an object as Apache Parquet: typed columns, for pandas, R, DuckDB, MATLAB and the like.

- `metrics.parquet`: texts as strings, `object_id` as an integer of 32 bits, everything else as floating point numbers
  of 64 bits: the very numbers that were computed. A value that does not exist is null.
- Columns are named as in the other tables, with their unit. Their unit and definition also stand in the metadata of each field of
  the Arrow schema.
- Texts have no apostrophe in front: nothing runs them here.

Rows stand in groups of at most 50,000, compressed by Zstandard; columns of text are encoded by dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from exports.archive.columns import Column, object_columns
from exports.archive.dataset import Dataset, Image, Indexes
from exports.archive.measure import Measurements, measurements_of
from exports.archive.zipping import Entry

MAX_ROWS = 50_000
"""Of a row group: some 15 MB in memory."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Objects of one image that wait for their group to be full; n of them. Not the image: it holds its pixels."""

    image_name: str
    image_id: str
    unit: str
    object_ids: NDArray[np.int32]
    classes: Indexes
    numbers: NDArray[np.float64]
    """(n, 1 + M): the score, then the measures."""

    def __len__(self) -> int:
        return len(self.object_ids)


class ParquetWriter:
    def __init__(self, dataset: Dataset, max_rows: int = MAX_ROWS) -> None:
        self._dataset, self._max_rows = dataset, max_rows
        self._path = dataset.workspace / "metrics.parquet"
        columns = object_columns(dataset.channels)
        self._schema = pa.schema([_field(column, dataset.unit) for column in columns])
        texts = [column.header(dataset.unit) for column in columns if column.kind == "text"]
        self._file = pq.ParquetWriter(str(self._path), self._schema, compression="zstd", use_dictionary=texts)
        self._waiting: list[_Rows] = []
        self._waiting_count = self.objects = 0

    def add(self, image: Image) -> Iterator[Entry]:
        for rows in self._rows(image, measurements_of(image, self._dataset)):
            if self._waiting_count + len(rows) > self._max_rows:
                self._write()
            self._waiting.append(rows)
            self._waiting_count += len(rows)
        return iter(())

    def finish(self) -> Iterator[Entry]:
        self._write()
        self._file.close()
        yield Entry("metrics/metrics.parquet", self._path)

    def _rows(self, image: Image, measured: Measurements) -> Iterator[_Rows]:
        """No more of them together than a group holds."""
        objects = image.objects
        numbers = np.column_stack([objects.scores, measured.objects])
        object_ids = np.arange(1, len(objects) + 1, dtype=np.int32)
        for start in range(0, len(objects), self._max_rows):
            some = slice(start, start + self._max_rows)
            labels = (image.original_name, image.image_id, measured.unit)
            yield _Rows(*labels, object_ids[some], objects.classes[some], numbers[some])

    def _write(self) -> None:
        """What waits, as a group."""
        self._dataset.checkpoint()
        if self._waiting:
            self.objects += self._waiting_count
            self._file.write_table(pa.Table.from_arrays(list(self._columns()), schema=self._schema))
        self._waiting, self._waiting_count = [], 0

    def _columns(self) -> Iterator[pa.Array]:
        """In the order of `object_columns`."""
        rows = self._waiting
        owners = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
        score, *measures = np.concatenate([each.numbers for each in rows]).T
        yield _texts([each.image_name for each in rows], owners)
        yield _texts([each.image_id for each in rows], owners)
        yield pa.array(np.concatenate([each.object_ids for each in rows]))
        yield _texts(self._dataset.class_names, np.concatenate([each.classes for each in rows]))
        yield _numbers(score)
        yield _texts([each.unit for each in rows], owners)
        yield from map(_numbers, measures)


def _field(column: Column, length: str) -> pa.Field:
    type_of = {"text": pa.string(), "count": pa.int32()}
    unit = column.unit("unit" if length == "mixed" else length)
    about = {"name": column.name, "unit": unit, "definition": column.definition}
    return pa.field(column.header(length), type_of.get(column.kind, pa.float64()), metadata=about)


def _texts(known: Sequence[str], indexes: Indexes) -> pa.Array:
    return pa.DictionaryArray.from_arrays(indexes, pa.array(known, pa.string())).dictionary_decode()


def _numbers(values: NDArray[np.float64]) -> pa.Array:
    """What is not finite is null."""
    return pa.array(np.ascontiguousarray(values), mask=~np.isfinite(values))
