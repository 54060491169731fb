"""documentation/FORMATS.md: the conventions of each format, from the modules that write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exports.archive.formats import ORIGINALS, Format
from exports.archive.guide import Contents
from exports.archive.zipping import Entry

LOSSES = {
    "holes": "holes in objects",
    "parts": "objects of several parts",
    "overlaps": "objects that others overlap",
    "absent": "objects that are too small, outside the image or hidden by others",
    "scores": "scores",
}

WITHOUT_ORIGINALS = (
    "The original images are not in this archive. Where `images/` is spoken of, it is a folder for them, in which"
    " they have the names that `names.csv` lists."
)


def formats_entries(contents: Contents) -> Iterator[Entry]:
    """Of the parts that have files. Nothing when these are only measurements: METRICS.md describes them."""
    parts = [part for part in contents.parts if part.kind != "metrics" and contents.files_of(part)]
    if parts:
        has_originals = bool(contents.files_of(ORIGINALS))
        chapters = [chapter(part, contents.files_of(part)) for part in parts]
        text = "\n\n".join(["# Formats", *([] if has_originals else [WITHOUT_ORIGINALS]), *chapters]) + "\n"
        yield Entry("documentation/FORMATS.md", text.encode())


def chapter(part: Format, files: Sequence[str]) -> str:
    """Title, files, losses and the documentation of one part, in Markdown."""
    listed = ", ".join(f"`{path}`" for path in files)
    losses = ", ".join(LOSSES[loss] for loss in part.losses)
    cannot = f" Cannot hold {losses}." if losses else ""
    return f"## {part.title}\n\nFiles: {listed}.{cannot}\n\n{part.documentation()}"
