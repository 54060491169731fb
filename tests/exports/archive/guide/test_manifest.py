from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from exports.archive.dataset import LeftOut
from exports.archive.guide.manifest import Manifest
from exports.archive.zipping import Archive, Entry
from tests.exports.archive.guide.contents import contents_of

FILES = (Entry("README.md", b"read me"), Entry("images/zelle ü.png", b"\x89PNG"), Entry("empty.txt", b""))


def written(folder: Path, **fields: Any) -> bytes:
    """An archive of three files with its manifest and checksums."""
    contents, file = contents_of(folder, **fields), io.BytesIO()
    archive, manifest = Archive(file, contents.dataset.changed_at, lambda: None), Manifest(folder)
    for entry in FILES:
        manifest.record(archive.add(entry))
    manifest.record(archive.add(manifest.document(contents)))
    manifest.record(archive.add(manifest.checksums()))
    archive.close()
    return file.getvalue()


def manifest_of(folder: Path, **fields: Any) -> dict[str, Any]:
    archive = zipfile.ZipFile(io.BytesIO(written(folder, **fields)))
    content: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return content


def test_every_file_is_listed_with_size_and_digest(tmp_path: Path) -> None:
    assert manifest_of(tmp_path)["files"] == [
        {
            "path": entry.path,
            "bytes": len(entry.content),
            "sha256": hashlib.sha256(entry.content).hexdigest(),
        }
        for entry in FILES
        if isinstance(entry.content, bytes)
    ]


def test_sha256sum_accepts_the_checksums_of_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    zipfile.ZipFile(io.BytesIO(written(tmp_path))).extractall(folder)
    check = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
    result = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(": OK") == len(FILES) + 1


def test_options_scale_and_version_are_kept(tmp_path: Path) -> None:
    options = {"metricsFormats": ["csv"], "selectedImageIds": None}
    manifest = manifest_of(tmp_path, options=options, unit="µm", scale_override=0.5)
    assert manifest["options"] == options
    assert manifest["scale"] == {"unit": "µm", "override": 0.5}
    assert manifest["program"] == {"name": "Cell Segmentation Hub", "version": "1.2.3"}


def test_counts_say_what_was_promised_read_and_written(tmp_path: Path) -> None:
    counts = manifest_of(tmp_path)["counts"]
    assert counts["promised"] == counts["read"] == {"images": 1, "objects": 2}
    assert counts["written"]["annotations/coco"] == {"images": 1, "objects": 2}


def test_what_was_left_out_is_listed(tmp_path: Path) -> None:
    left_out = LeftOut("id", "a.png", "images", "unreadable", "Damaged.")
    assert manifest_of(tmp_path, left_out=(left_out,))["left_out"] == [
        {
            "image_id": "id",
            "original_name": "a.png",
            "stage": "images",
            "code": "unreadable",
            "sentence": "Damaged.",
        }
    ]


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path) == written(tmp_path)
