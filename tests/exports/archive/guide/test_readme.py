from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exports.archive.dataset import LeftOut
from exports.archive.formats import ANNOTATIONS, OVERLAYS, PARTS
from exports.archive.guide import Counts
from exports.archive.guide.readme import LOADING, readme_entry
from tests.exports.archive.guide.contents import contents_of


def readme_of(folder: Path, **fields: Any) -> str:
    entry = readme_entry(contents_of(folder, **fields))
    assert entry.path == "README.md"
    assert isinstance(entry.content, bytes)
    return entry.content.decode()


def test_every_part_says_how_it_is_loaded() -> None:
    assert set(LOADING) == {part.key for part in PARTS}


def test_every_part_that_was_written_is_described(tmp_path: Path) -> None:
    readme = readme_of(tmp_path)
    assert [part.title for part in PARTS if f"### {part.title}\n" not in readme] == []


def test_a_part_that_was_not_asked_for_is_not_described(tmp_path: Path) -> None:
    coco, *_ = ANNOTATIONS
    readme = readme_of(tmp_path, parts=(coco,), written={coco.key: Counts(1, 2)})
    assert "### COCO\n" in readme
    assert "metrics/metrics.csv" not in readme


def test_a_part_that_took_no_image_says_so_instead_of_how_it_is_loaded(tmp_path: Path) -> None:
    readme = readme_of(tmp_path, parts=(OVERLAYS,), written={}, found=frozenset())
    assert "Files: none\n\nNo image could be put into this part; `errors.csv` says why." in readme


def test_a_part_that_lacks_images_says_how_many_it_has(tmp_path: Path) -> None:
    readme = readme_of(tmp_path, image_count=3)
    assert readme.count("Of 3 images 1 are in it; `errors.csv` says why.") == len(PARTS)
    assert "Images: 1 of 3." in readme


def test_project_and_classes_are_shown_as_text(tmp_path: Path) -> None:
    readme = readme_of(tmp_path, project_name="<b>My</b>\n# project", class_names=("*cell*",))
    assert readme.startswith("# &lt;b&gt;My&lt;/b&gt; \\# project\n")
    assert r"Classes: \*cell\*." in readme


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"unit": "px"}, "No image has a scale"),
        ({"unit": "µm"}, "Every image has a scale"),
        ({"unit": "mixed"}, "Some images have a scale"),
        ({"unit": "µm", "scale_override": 0.325}, "as given with the export: 0.325 µm per pixel."),
    ],
)
def test_the_scale_is_stated(tmp_path: Path, fields: dict[str, Any], sentence: str) -> None:
    assert sentence in readme_of(tmp_path, **fields)


def test_what_was_left_out_is_named_and_cut_short(tmp_path: Path) -> None:
    left_out = tuple(LeftOut(str(i), f"_{i}_", "images", "unreadable", "Damaged.") for i in range(23))
    readme = readme_of(tmp_path, left_out=left_out)
    assert "- \\_19\\_: Damaged\\.\n- … and 3 more." in readme


def test_nothing_is_said_of_what_did_not_happen(tmp_path: Path) -> None:
    readme = readme_of(tmp_path, features={})
    assert "Left out" not in readme
    assert "could not hold" not in readme
