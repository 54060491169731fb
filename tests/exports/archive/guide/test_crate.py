"""ro-crate-metadata.json, read by the library of the people who specify it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exports.archive.guide.crate import ENCODING_FORMATS
from tests.exports.archive.guide.archives import EVERYTHING, damaged, files_in, unpacked
from tests.exports.archive.guide.images import varied
from tests.judges import ask, needs_judges


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crate")
    images = varied(folder / "images")
    return unpacked(folder, images, [damaged(images[1])], {"project_name": "Müller's <cells>"}, **EVERYTHING)


def entities(archive: Path) -> dict[str, dict[str, Any]]:
    graph = json.loads((archive / "ro-crate-metadata.json").read_bytes())["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    assert len(by_id) == len(graph)
    return by_id


@needs_judges
def test_the_library_finds_every_file_and_each_is_there(archive: Path) -> None:
    files = ask("ro_crate", archive)["files"]
    assert set(files) == files_in(archive) - {"ro-crate-metadata.json"}
    assert [path for path, file in files.items() if not file["exists"]] == []


@needs_judges
def test_sizes_and_digests_are_those_of_the_files(archive: Path) -> None:
    files = ask("ro_crate", archive)["files"]
    for later in ("manifest.json", "SHA256SUMS"):
        assert (files[later]["size"], files.pop(later)["sha256"]) == (None, None)
    assert {path: (file["size"], file["sha256"]) for path, file in files.items()} == {
        path: (str(len(content)), hashlib.sha256(content).hexdigest())
        for path, content in ((path, (archive / path).read_bytes()) for path in files)
    }


@needs_judges
def test_the_crate_says_what_it_is_and_who_made_it(archive: Path) -> None:
    crate = ask("ro_crate", archive)
    assert (crate["version"], crate["name"], crate["made"]) == ("1.1", "Müller's <cells>", "./")
    assert crate["program"][0] == "Cell Segmentation Hub"
    assert datetime.fromisoformat(crate["published"]) == datetime.fromisoformat("2026-03-04T05:06:08+00:00")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("annotations/masks/%3Da%20%231%2050%25_labels.tif", "image/tiff"),
        ("annotations/cellpose/%3Da%20%231%2050%25_seg.npy", "application/x-npy"),
        ("annotations/imagej/%3Da%20%231%2050%25_RoiSet.zip", "application/zip"),
        ("annotations/geojson/%3Da%20%231%2050%25.geojson", "application/geo+json"),
        ("images/%3Da%20%231%2050%25.png", "image/png"),
        ("README.md", "text/markdown"),
        ("SHA256SUMS", "text/plain"),
    ],
)
def test_every_kind_of_file_has_its_media_type(archive: Path, path: str, expected: str) -> None:
    assert entities(archive)[path]["encodingFormat"] == expected


def test_no_file_of_ours_is_of_an_unknown_kind(archive: Path) -> None:
    unknown = {Path(path).suffix for path in files_in(archive)} - {*ENCODING_FORMATS, ""}
    assert unknown == set()


def test_every_reference_within_the_crate_leads_somewhere(archive: Path) -> None:
    by_id = entities(archive)
    parts = [part["@id"] for part in by_id["./"]["hasPart"]]
    assert sorted(parts) == sorted(id_ for id_, each in by_id.items() if each["@type"] == "File")
    assert by_id["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert by_id["./"]["mentions"]["@id"] in by_id
