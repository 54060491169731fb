"""The images as they were uploaded, byte for byte, under the names that `names.csv` lists."""

from __future__ import annotations

from collections.abc import Iterator

from exports.archive.dataset import Dataset, Image
from exports.archive.zipping import Entry


class Originals:
    def __init__(self, dataset: Dataset) -> None:
        """Needs nothing of the dataset."""

    def add(self, image: Image) -> Iterator[Entry]:
        yield Entry(f"images/{image.name}", image.original, sha256=image.sha256)

    def finish(self) -> Iterator[Entry]:
        return iter(())
