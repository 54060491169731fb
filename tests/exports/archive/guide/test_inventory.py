from __future__ import annotations

from pathlib import Path

from exports.archive.formats import ANNOTATIONS, ORIGINALS, OVERLAYS
from exports.archive.guide.inventory import EXPLAINING, WRITTEN_LAST, Inventory
from exports.archive.zipping import Written

ROOT = Path(__file__).parents[4]


def patterns_of(*paths: str) -> set[str]:
    inventory = Inventory([ORIGINALS, OVERLAYS, *ANNOTATIONS])
    for path in paths:
        inventory.record(Written(path, 0, ""))
    return set(inventory.patterns()) - set(WRITTEN_LAST)


def test_files_are_known_by_their_patterns() -> None:
    paths = (
        "images/a [b].png",
        "images/c.tif",
        "annotations/masks/a_labels.tif",
        "contact_sheet/page_2.html",
    )
    assert patterns_of(*paths) == {
        "images/<name>",
        "annotations/masks/<stem>_labels.tif",
        "contact_sheet/page_<number>.html",
    }


def test_of_the_ways_to_write_a_part_only_the_one_taken_is_there() -> None:
    assert patterns_of("visualizations/a_overlay.jpg") == {"visualizations/<stem>_overlay.jpg"}


def test_what_is_not_expected_is_no_pattern() -> None:
    assert patterns_of("images/folder/a.png", "visualizations/a_overlayXpng") == set()


def test_what_comes_last_is_there_before_it_is_written() -> None:
    assert set(WRITTEN_LAST) <= Inventory([]).patterns()


def test_every_file_that_explains_the_archive_is_documented() -> None:
    text = (ROOT / "docs/FORMATS.md").read_text(encoding="utf-8")
    assert {path for path in EXPLAINING if path not in text and path.rpartition("/")[2] not in text} == set()
