"""names.csv and errors.csv: which image is which file, and what could not be exported as it is."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator

from exports.archive.cells import csv_row
from exports.archive.dataset import Dataset, Image, LeftOut
from exports.archive.zipping import Entry, Spool


class NamesTable:
    """Fed like the writer of a format."""

    def __init__(self, dataset: Dataset) -> None:
        self._spool = Spool(dataset.workspace)
        self._spool.write(BOM_UTF8 + csv_row(("image_id", "original_name", "name")))

    def add(self, image: Image) -> Iterator[Entry]:
        self._spool.write(csv_row((image.image_id, image.original_name, image.name)))
        return iter(())

    def finish(self) -> Iterator[Entry]:
        yield Entry("names.csv", self._spool)


def errors_entries(notes: tuple[LeftOut, ...]) -> Iterator[Entry]:
    """Nothing when nothing was left out or repaired."""
    if notes:
        rows = [csv_row(("image_id", "image", "stage", "code", "sentence"))]
        rows += [
            csv_row((each.image_id, each.original_name, each.stage, each.code, each.sentence))
            for each in notes
        ]
        yield Entry("errors.csv", BOM_UTF8 + b"".join(rows))
