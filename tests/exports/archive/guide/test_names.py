from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from exports.archive.dataset import LeftOut
from exports.archive.guide.names import NamesTable, errors_entries
from exports.archive.zipping import Archive
from tests.exports.archive.builders import dataset_of, image_of


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_each_image_is_listed_with_both_names(tmp_path: Path) -> None:
    image = image_of(original_name='a/"ü", 1.png', name="a_ü_1.png")
    dataset = dataset_of(tmp_path, image)
    table, file = NamesTable(dataset), io.BytesIO()
    assert list(table.add(image)) == []
    archive = Archive(file, dataset.changed_at, lambda: None)
    (entry,) = table.finish()
    archive.add(entry)
    archive.close()
    assert rows_of(zipfile.ZipFile(file).read("names.csv")) == [
        ["image_id", "original_name", "name"],
        [image.image_id, 'a/"ü", 1.png', "a_ü_1.png"],
    ]


def test_a_name_that_a_spreadsheet_would_run_is_neutralised() -> None:
    (entry,) = errors_entries((LeftOut("id", "=cmd|calc", "images", "unreadable", "It cannot be read."),))
    assert isinstance(entry.content, bytes)
    assert rows_of(entry.content)[1] == ["id", "'=cmd|calc", "images", "unreadable", "It cannot be read."]


def test_there_is_no_list_of_errors_without_errors() -> None:
    assert list(errors_entries(())) == []
