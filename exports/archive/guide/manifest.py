"""manifest.json and SHA256SUMS: every file with its size and digest, and how the archive came to be.

No time of writing: the same project and options give the same bytes.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import orjson

from exports.archive.guide import PROGRAM, Contents
from exports.archive.zipping import Entry, Spool, Written

FORMAT, VERSION = "cell-segmentation-hub/manifest", 1
CHECKSUMS = "SHA256SUMS"


class Manifest:
    """Told of each file as it is written; keeps the list on disk, for it grows with the project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checksums = Spool(folder)
        self._files = TemporaryFile(dir=folder)  # noqa: SIM115 - lives until the manifest is written

    def record(self, written: Written) -> None:
        """SHA256SUMS itself is not recorded: no file holds its own digest."""
        if written.path == CHECKSUMS:
            return
        line = {"path": written.path, "bytes": written.size, "sha256": written.sha256}
        self._files.write((b",\n" if self._files.tell() else b"\n") + orjson.dumps(line))
        self._checksums.write(f"{written.sha256}  {written.path}\n".encode())

    def document(self, contents: Contents) -> Entry:
        """manifest.json: every file recorded so far, which is all but itself and SHA256SUMS. Once only."""
        spool = Spool(self._folder)
        spool.write(orjson.dumps(_head(contents), option=orjson.OPT_INDENT_2)[:-2] + b',\n  "files": [')
        self._files.seek(0)
        shutil.copyfileobj(self._files, spool)
        spool.write(b"\n]}\n")
        return Entry("manifest.json", spool)

    def checksums(self) -> Entry:
        """SHA256SUMS: every file but itself, once the manifest is recorded too."""
        return Entry(CHECKSUMS, self._checksums)


def _head(contents: Contents) -> dict[str, Any]:
    dataset = contents.dataset
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": {"name": PROGRAM, "version": contents.program_version},
        "project": dataset.project_name,
        "classes": dataset.class_names,
        "changed_at": dataset.changed_at.isoformat(),
        "options": dataset.options,
        "scale": {"unit": dataset.unit, "override": dataset.scale_override},
        "counts": {
            "promised": {"images": dataset.image_count, "objects": dataset.object_count},
            "read": asdict(contents.read),
            "written": {key: asdict(counts) for key, counts in contents.written.items()},
        },
        "fidelity": {
            "found": contents.features,
            "lost": {part.key: contents.lost(part) for part in contents.parts},
        },
        "left_out": [asdict(each) for each in contents.left_out],
        "repaired": [asdict(each) for each in contents.repaired],
    }
