from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exports.archive.formats import ANNOTATIONS, METRICS, ORIGINALS, OVERLAYS, Format
from exports.archive.guide.formats_guide import chapter, formats_entries
from tests.exports.archive.guide.contents import contents_of


@pytest.mark.parametrize("part", [ORIGINALS, OVERLAYS, *ANNOTATIONS], ids=lambda part: part.key)
def test_every_format_has_a_chapter_with_its_files(tmp_path: Path, part: Format) -> None:
    (entry,) = formats_entries(contents_of(tmp_path))
    assert entry.path == "documentation/FORMATS.md"
    assert isinstance(entry.content, bytes)
    text = entry.content.decode()
    assert f"## {part.title}\n" in text
    assert all(f"`{path}`" in text for path in part.files)


@pytest.mark.parametrize("part", ANNOTATIONS, ids=lambda part: part.key)
def test_the_chapter_of_an_annotation_format_states_its_coordinates(part: Format) -> None:
    assert "Coordinates are" in chapter(part, part.files)


def test_a_format_that_was_not_asked_for_has_no_chapter(tmp_path: Path) -> None:
    (entry,) = formats_entries(contents_of(tmp_path, parts=(ANNOTATIONS[0], *METRICS)))
    assert isinstance(entry.content, bytes)
    assert entry.content.count(b"\n## ") == 1


def test_what_a_format_cannot_hold_is_named() -> None:
    flat = replace(ANNOTATIONS[0], losses=("holes", "parts"))
    assert "Cannot hold holes in objects, objects of several parts." in chapter(flat, flat.files)
