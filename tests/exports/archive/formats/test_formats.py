from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from exports.archive.dataset import Image
from exports.archive.formats import PARTS, Format, annotation_formats, metrics_formats
from exports.archive.zipping import Archive
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square


def images(folder: Path) -> list[Image]:
    objects = objects_of([[square(1, 1, 9), square(3, 3, 2)]], [[square(20, 1, 9)]])
    return [image_of(objects, folder), image_of(None, folder, number=2)]


def archive_of(folder: Path, part: Format) -> bytes:
    """The archive that the part alone writes."""
    dataset = dataset_of(folder, *images(folder))
    with (folder / "archive.zip").open("w+b") as file:
        archive, writer = Archive(file, dataset.changed_at, lambda: None), part.writer(dataset)
        entries = [entry for image in images(folder) for entry in writer.add(image)]
        for entry in [*entries, *writer.finish()]:
            archive.add(entry)
        archive.close()
    return (folder / "archive.zip").read_bytes()


def test_the_list_loads_no_heavy_library() -> None:
    program = "import sys, exports.archive.formats; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"numpy", "cv2", "shapely", "isal", "orjson", "pyarrow"} & set(result.stdout.split())


def test_keys_are_unique_and_ids_find_their_format() -> None:
    assert len({part.key for part in PARTS}) == len(PARTS)
    assert annotation_formats["json"].key == "annotations/json"
    assert metrics_formats["json"].key == "metrics/json"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_the_same_images_give_the_same_bytes(tmp_path: Path, part: Format) -> None:
    assert archive_of(tmp_path, part) == archive_of(tmp_path, part)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_each_part_writes_the_files_it_names(tmp_path: Path, part: Format) -> None:
    archive_of(tmp_path, part)
    names = set(zipfile.ZipFile(tmp_path / "archive.zip").namelist())
    promised = {
        path.replace("<stem>", image.stem).replace("<name>", image.name)
        for path in part.files
        for image in images(tmp_path)
    }
    assert names
    assert names <= promised


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_a_project_without_images_is_written(tmp_path: Path, part: Format) -> None:
    writer = part.writer(dataset_of(tmp_path))
    assert all(entry.path in part.files for entry in writer.finish())


@pytest.mark.parametrize("name", ["yolo", "cvat", "geojson", "imagej", "labelme"])
def test_an_export_that_has_to_end_ends_within_an_image(tmp_path: Path, name: str) -> None:
    calls: list[int] = []
    image = image_of(objects_of(*[[[square(n % 40, n // 40, 1)]] for n in range(1_500)]))
    writer = annotation_formats[name].writer(dataset_of(tmp_path, image, checkpoint=lambda: calls.append(1)))
    assert len(list(writer.add(image))) <= 1
    assert len(calls) >= 3
