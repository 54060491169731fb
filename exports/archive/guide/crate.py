"""ro-crate-metadata.json: the archive as an RO-Crate 1.1 (https://w3id.org/ro/crate/1.1).

Every file is a data entity with its type, size and SHA-256; manifest.json and SHA256SUMS are written later
and have their type only. `datePublished`, which an RO-Crate must have, is the newest change of the data: the same
project and options give the same bytes.
"""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import quote

import orjson

from exports.archive.dataset import Dataset
from exports.archive.guide import PROGRAM
from exports.archive.guide.inventory import EXPLAINING
from exports.archive.zipping import Entry, Spool, Written

CRATE = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"

WRITTEN_LATER = ("manifest.json", "SHA256SUMS")

ENCODING_FORMATS = {
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".geojson": "application/geo+json",
    ".gif": "image/gif",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".md": "text/markdown",
    ".npy": "application/x-npy",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}
"""By the ending of the name; IANA's media types, but for NumPy's, which has none of its own."""


class Crate:
    """Told of each file as it is written; keeps the list on disk, for it grows with the project."""

    def __init__(self, dataset: Dataset, program_version: str) -> None:
        self._program_version = program_version
        self._entities = TemporaryFile(dir=dataset.workspace)  # noqa: SIM115 - lives until the crate is written
        self._spool = Spool(dataset.workspace)
        self._spool.write(b'{"@context":"%b/context","@graph":[\n' % SPECIFICATION.encode())
        self._spool.write(orjson.dumps(_descriptor()) + b",\n")
        self._spool.write(orjson.dumps(_root(dataset))[:-1] + b',"hasPart":[')
        self._separator = b"\n"

    def record(self, written: Written) -> None:
        """What is written after the crate is not recorded: it is listed already."""
        if written.path in (CRATE, *WRITTEN_LATER):
            return
        measured = {"contentSize": str(written.size), "sha256": written.sha256}
        self._list(written.path, measured)

    def document(self) -> Entry:
        """Everything recorded so far, and what is still to come but the crate itself. Once only."""
        for path in WRITTEN_LATER:
            self._list(path, {})
        self._spool.write(b"\n]}")
        self._entities.seek(0)
        shutil.copyfileobj(self._entities, self._spool)
        for entity in _origin(self._program_version):
            self._spool.write(b",\n" + orjson.dumps(entity))
        self._spool.write(b"\n]}\n")
        return Entry(CRATE, self._spool)

    def _list(self, path: str, measured: dict[str, str]) -> None:
        entity = _file(path) | measured
        self._spool.write(self._separator + orjson.dumps({"@id": entity["@id"]}))
        self._entities.write(b",\n" + orjson.dumps(entity))
        self._separator = b",\n"


def _descriptor() -> dict[str, Any]:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": SPECIFICATION},
    }


def _root(dataset: Dataset) -> dict[str, Any]:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": dataset.project_name,
        "description": (
            f"Images of cells, the outlines of the cells and their measurements, as {PROGRAM} exported them."
            " The date of publication is that of the newest change of the data."
        ),
        "datePublished": dataset.changed_at.isoformat(),
        "license": "No licence was stated with this export. Ask the owner of the project how it may be used.",
        "mentions": {"@id": "#export"},
    }


def _file(path: str) -> dict[str, str]:
    """`@id` is a relative URI reference (RFC 3986), as the specification asks of names with other characters."""
    place = PurePosixPath(path)
    entity = {
        "@id": quote(path),
        "@type": "File",
        "name": place.name,
        "encodingFormat": _encoding_format(place),
    }
    return entity | ({"description": EXPLAINING[path]} if path in EXPLAINING else {})


def _encoding_format(path: PurePosixPath) -> str:
    unknown = "application/octet-stream" if path.suffix else "text/plain"
    is_image = path.parts[0] == "images"
    return ENCODING_FORMATS.get(path.suffix.lower(), "application/octet-stream" if is_image else unknown)


def _origin(program_version: str) -> tuple[dict[str, Any], ...]:
    """Who made the archive; neither when nor for whom is said, for the same data give the same bytes."""
    export = {
        "@id": "#export",
        "@type": "CreateAction",
        "name": f"Export by {PROGRAM} {program_version}",
        "instrument": {"@id": "#program"},
        "result": {"@id": "./"},
    }
    program = {
        "@id": "#program",
        "@type": "SoftwareApplication",
        "name": PROGRAM,
        "softwareVersion": program_version,
    }
    return export, program
