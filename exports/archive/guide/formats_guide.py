"""documentation/FORMATS.md: the conventions of each format, from the modules that write them."""

from __future__ import annotations

from exports.archive.formats import Format
from exports.archive.guide import Contents
from exports.archive.zipping import Entry

LOSSES = {
    "holes": "holes in objects",
    "parts": "objects of several parts",
    "overlaps": "objects that others overlap",
    "absent": "objects that cover no pixel's centre or are hidden by others",
    "scores": "scores",
}


def formats_entry(contents: Contents) -> Entry:
    parts = [part for part in contents.parts if part.kind != "metrics"]
    chapters = ["# Formats", *(chapter(part) for part in parts)]
    return Entry("documentation/FORMATS.md", ("\n\n".join(chapters) + "\n").encode())


def chapter(part: Format) -> str:
    """Title, files, losses and the documentation of one part, in Markdown."""
    files = ", ".join(f"`{path}`" for path in part.files)
    losses = ", ".join(LOSSES[loss] for loss in part.losses)
    cannot = f" Cannot hold {losses}." if losses else ""
    return f"## {part.title}\n\nFiles: {files}.{cannot}\n\n{part.documentation()}"
