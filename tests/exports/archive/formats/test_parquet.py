from __future__ import annotations

import errno
import gc
import subprocess
import sys
from pathlib import Path
from weakref import ref

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exports.archive.dataset import Dataset, Image
from exports.archive.formats.parquet import ParquetWriter
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square


def written(dataset: Dataset, images: list[Image], max_rows: int = 50_000) -> pq.ParquetFile:
    writer = ParquetWriter(dataset, max_rows)
    early = [entry for image in images for entry in writer.add(image)]
    (entry,) = [*early, *writer.finish()]
    assert entry.path == "metrics/metrics.parquet"
    return pq.ParquetFile(entry.content)


def crowds(*sizes: int) -> list[Image]:
    """Images with so many objects."""
    return [
        image_of(objects_of(*[[[square(n, n, n + 1)]] for n in range(size)]), number=number)
        for number, size in enumerate(sizes, 1)
    ]


@pytest.mark.parametrize("sizes", [(9,), (4, 4, 4), (1, 12, 0, 2), (3, 2, 3, 2), ()])
def test_no_group_has_more_rows_than_are_held_in_memory(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    images = crowds(*sizes)
    file = written(dataset_of(tmp_path, *images), images, max_rows=5)
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    numbers = file.read()["object_id"].to_pylist()
    assert sum(groups) == sum(sizes)
    assert max(groups, default=0) <= 5
    assert numbers == [number for size in sizes for number in range(1, size + 1)]


def test_columns_have_types_and_texts_a_dictionary(tmp_path: Path) -> None:
    images = crowds(3)
    file = written(dataset_of(tmp_path, *images), images)
    types = {field.name: field.type for field in file.schema_arrow}
    group = file.metadata.row_group(0)
    chunks = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert [types[name] for name in ("image", "class", "object_id", "score")] == [
        pa.string(), pa.string(), pa.int32(), pa.float64(),
    ]  # fmt: skip
    assert {chunk.compression for chunk in chunks.values()} == {"ZSTD"}
    assert [name for name, chunk in chunks.items() if chunk.has_dictionary_page] == [
        "image", "image_id", "class", "unit",
    ]  # fmt: skip


def test_images_are_not_kept_until_their_group_is_written(tmp_path: Path) -> None:
    images = crowds(3)
    writer, kept = ParquetWriter(dataset_of(tmp_path, *images)), ref(images[0])
    list(writer.add(images.pop()))
    gc.collect()
    assert kept() is None


def test_nothing_in_the_file_comes_from_pandas(tmp_path: Path) -> None:
    metadata = written(dataset_of(tmp_path), []).schema_arrow.metadata
    assert b"pandas" not in (metadata or {})


def test_texts_are_not_changed_for_spreadsheets(tmp_path: Path) -> None:
    image = image_of(objects_of([[square(0, 0, 1)]]), original_name="=1+1 é 🧫.png", name="a.png")
    table = written(dataset_of(tmp_path, image, class_names=("@x",)), [image]).read()
    assert (table["image"][0].as_py(), table["class"][0].as_py()) == ("=1+1 é 🧫.png", "@x")


def test_a_full_disk_is_said_as_the_disk_says_it(tmp_path: Path) -> None:
    (tmp_path / "metrics.parquet").symlink_to("/dev/full")
    images = crowds(8)
    with pytest.raises(OSError, match="No space") as failure:
        written(dataset_of(tmp_path, *images), images, max_rows=2)
    assert failure.value.errno == errno.ENOSPC


class Cancelled(Exception):
    pass


def test_an_export_that_has_to_end_ends_before_the_next_group(tmp_path: Path) -> None:
    calls: list[int] = []

    def end() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Cancelled

    images = crowds(20)
    with pytest.raises(Cancelled):
        written(dataset_of(tmp_path, *images, checkpoint=end), images, max_rows=2)


FORK = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from exports.archive import formats
formats.preload()
from tests.exports.archive.formats.test_parquet import crowds, written
from tests.exports.archive.builders import dataset_of
folder, images = Path(sys.argv[1]), crowds(50, 50)
for generation in range(2):
    written(dataset_of(folder, *images), images, max_rows=20)
    if os.fork() == 0:
        os._exit(written(dataset_of(folder, *images), images, max_rows=20).metadata.num_rows)
    print(os.waitstatus_to_exitcode(os.wait()[1]), end=" ")
"""


def test_a_process_that_was_forked_after_the_library_was_loaded_writes_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORK, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "100 100 ", ended.stderr


def test_a_value_that_does_not_exist_is_null_and_none_is_nan(tmp_path: Path) -> None:
    images = [image_of(objects_of([[np.ones((3, 2))]], scores=[np.inf]))]
    table = written(dataset_of(tmp_path, *images), images).read()
    assert table["score"].null_count == table["solidity"].null_count == 1
    assert not any(np.isnan(number) for column in table.columns for number in column.to_pylist()
                   if isinstance(number, float))  # fmt: skip
