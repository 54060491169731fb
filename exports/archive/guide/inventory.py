"""What lies in an archive, told by patterns: `images/<name>` for however many images there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from exports.archive.formats import Format
from exports.archive.zipping import Written

EXPLAINING = {
    "README.md": "what is in here and how to load it",
    "index.html": "all images at a glance, in any browser, without a network",
    "contact_sheet/page_<number>.html": "the further pages of `index.html`",
    "names.csv": "the id of each image, the name it was uploaded with and its name in here",
    "errors.csv": "what could not be exported or had to be repaired, and why",
    "metrics/columns.csv": "every column of the measurements, with its unit and definition",
    "documentation/METRICS.md": "how each measurement is defined",
    "documentation/FORMATS.md": "the conventions of each format",
    "documentation/manifest.schema.json": "the JSON Schema of `manifest.json`",
    "ro-crate-metadata.json": "the files as an RO-Crate 1.1, for repositories of research data",
    "manifest.json": "the files with their size and SHA-256, the options of this export, counts and losses",
    "SHA256SUMS": "the SHA-256 of every other file: `sha256sum -c SHA256SUMS` checks them",
}
"""What each file is for that belongs to no part, in the order in which they should be read."""

WRITTEN_LAST = ("README.md", "ro-crate-metadata.json", "manifest.json", "SHA256SUMS")
"""Always there, though not yet when README.md is made."""


class Inventory:
    """Told of each file as it is written; keeps which patterns were seen, not the paths."""

    def __init__(self, parts: Iterable[Format]) -> None:
        patterns = [*EXPLAINING, *(pattern for part in parts for pattern in part.files)]
        self._unseen = {pattern: _expression(pattern) for pattern in patterns}
        self._seen = set(WRITTEN_LAST)

    def record(self, written: Written) -> None:
        for pattern, expression in self._unseen.items():
            if expression.fullmatch(written.path):
                self._seen.add(pattern)
                del self._unseen[pattern]
                return

    def patterns(self) -> frozenset[str]:
        """Of `EXPLAINING` and the files of the parts, those that are in the archive."""
        return frozenset(self._seen)


def _expression(pattern: str) -> re.Pattern[str]:
    """`<stem>`, `<name>` and `<number>` stand for a piece of one file's name."""
    pieces = re.split(r"<\w+>", pattern)
    return re.compile("[^/]+".join(map(re.escape, pieces)))
