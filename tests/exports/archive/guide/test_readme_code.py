"""The code of README.md, as somebody would run it who has unpacked the archive: all of it, by a foreign Python."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from exports.archive.formats import PARTS
from exports.archive.guide.readme import LOADING
from tests.exports.archive.builders import image_of
from tests.exports.archive.guide.archives import EVERYTHING, damaged, unpacked
from tests.exports.archive.guide.images import varied
from tests.judges import needs_judges, run_code

# What the code of a part must have read: from four images of four objects each, and one without.
READ = {
    "images/originals": "len(original_names) == 5 and original_names['[f](g) `h` _i=j.png'] == '[f](g) `h` ?i=j.png'",
    "annotations/coco": "masks.keys() == {1, 2, 3, 4} and masks[1].shape == (48, 64) and masks[1].sum() == 375",
    "annotations/yolo": "len(dataset) == 5 and sum(map(len, dataset.annotations.values())) == 16",
    "annotations/json": "len(outlines) == 6 and outlines[0][0] == [2.0, 2.0]",
    "annotations/cvat": "len(labels) == 5 and sum(map(len, labels.values())) == 16",
    "annotations/imagej": "outlines.keys() == {'1', '2', '3', '4'} and len(outlines['2']) == 2",
    "annotations/geojson": "len(features) == 4",
    "annotations/masks": "areas.keys() == {1, 2, 3, 4} and areas[1] == 375",
    "annotations/cellpose": "masks.shape == (48, 64) and masks.max() == 4 and outlines.any()",
    "annotations/labelme": "len(dataset) == 5 and sum(map(len, dataset.annotations.values())) == 16",
    "metrics/excel": "len(objects) == 16 and objects['area (px²)'][0] == 375",
    "metrics/csv": "len(objects) == 16 and objects['area (px²)'][0] == 375",
    "metrics/json": "len(objects) == 5 and next(iter(objects.values()))['area'][0] == 375",
    "metrics/parquet": "len(objects) == 16 and objects['area (px²)'][0] == 375",
}

WITHOUT_CODE = {"images/overlays"}


def code_in(markdown: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", markdown, flags=re.DOTALL)


def test_it_is_known_what_the_code_of_every_part_has_to_read() -> None:
    assert {part.key for part in PARTS} == {*READ, *WITHOUT_CODE}
    assert [key for key in READ if not code_in(LOADING[key])] == []


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    return unpacked(folder, varied(folder / "images"), **EVERYTHING)


@needs_judges
@pytest.mark.parametrize("key", READ)
def test_the_code_reads_what_is_there(archive: Path, key: str) -> None:
    (code,) = code_in(LOADING[key])
    assert code in (archive / "README.md").read_text(encoding="utf-8")
    run_code(f"{code}\nassert {READ[key]}", archive)


@needs_judges
def test_the_code_also_runs_where_there_are_no_objects(tmp_path: Path) -> None:
    archive = unpacked(tmp_path, [image_of(folder=tmp_path)], fields={"class_names": ()}, **EVERYTHING)
    blocks = code_in((archive / "README.md").read_text(encoding="utf-8"))
    assert len(blocks) == len(READ)
    run_code("\n".join(blocks), archive)


@needs_judges
def test_code_that_needs_the_originals_says_so_where_they_are_missing(tmp_path: Path) -> None:
    images = varied(tmp_path / "images")
    archive = unpacked(tmp_path, images, include_original_images=False, **EVERYTHING)
    sections = (archive / "README.md").read_text(encoding="utf-8").split("### ")
    for section in sections:
        if "The original images are not in this archive" not in section:
            run_code("\n".join(code_in(section)), archive)


@needs_judges
def test_the_code_also_runs_where_the_first_image_was_left_out(tmp_path: Path) -> None:
    images = varied(tmp_path / "images")
    archive = unpacked(tmp_path, images, [damaged(images[0])], **EVERYTHING)
    run_code("\n".join(code_in((archive / "README.md").read_text(encoding="utf-8"))), archive)


def test_the_checksums_are_checked_as_the_readme_says(archive: Path) -> None:
    assert "`sha256sum -c SHA256SUMS`" in (archive / "README.md").read_text(encoding="utf-8")
    check = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=archive, capture_output=True, check=False
    )
    assert check.returncode == 0, check.stderr
