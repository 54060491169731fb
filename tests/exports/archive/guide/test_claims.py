"""Nothing is claimed that is not there, and nothing is there that is not mentioned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exports.archive.guide.archives import EVERYTHING, damaged, files_in, unpacked
from tests.exports.archive.guide.images import varied

EXPLANATIONS = ("README.md", "documentation/FORMATS.md", "documentation/METRICS.md")
ENDINGS = "csv|geojson|html|json|md|npy|parquet|png|jpg|roi|tif|txt|xlsx|xml|yaml|zip"
IN_A_ROI_SET = {"<object_id>.roi"}
TO_BE_MADE = {"annotations/yolo/images/"}

NOTHING_ELSE = {
    "include_original_images": False,
    "include_visualizations": False,
    "annotation_formats": [],
    "metrics_formats": [],
}
KINDS: dict[str, dict[str, Any]] = {
    "everything": EVERYTHING,
    "defaults": {},
    "no documentation": EVERYTHING | {"include_documentation": False},
    "JPEG overlays": NOTHING_ELSE
    | {"include_visualizations": True, "visualization_options": {"format": "jpg"}},
    **{
        f"only {part}": NOTHING_ELSE | {"annotation_formats": [part]}
        for part in EVERYTHING["annotation_formats"]
    },
    **{f"only {part} ": NOTHING_ELSE | {"metrics_formats": [part]} for part in EVERYTHING["metrics_formats"]},
}


def claims_in(text: str) -> Iterator[str]:
    """What stands in code marks or quotes and has the looks of a path."""
    for claim in re.findall(r"[`\"]([^`\"\n]+)[`\"]", text):
        is_path = re.fullmatch(rf"[\w<>*./-]+\.({ENDINGS})|SHA256SUMS|[\w<>*./-]+/(<name>)?", claim)
        if is_path and "/" not in (claim[0], claim[:2]) and not claim.startswith((".", "*.")):
            yield claim


def expression(pattern: str) -> re.Pattern[str]:
    within_a_folder = ".*" if pattern.endswith("/") else ""
    return re.compile("[^/]+".join(map(re.escape, re.split(r"<\w+>|\*", pattern))) + within_a_folder)


def unfounded(archive: Path) -> set[str]:
    """What is claimed and is not there; in documentation a path may be told from its own folder."""
    there = files_in(archive)
    names = there | {path.rsplit("/", 1)[-1] for path in there}
    texts = [
        (archive / path).read_text(encoding="utf-8") for path in EXPLANATIONS if (archive / path).exists()
    ]
    claims = {claim for text in texts for claim in claims_in(text)} - IN_A_ROI_SET - TO_BE_MADE
    assert len(claims) > 5
    if all("The original images are not in this archive" in text for text in texts if "`images/`" in text):
        claims -= {"images/"}
    return {claim for claim in claims if not any(expression(claim).fullmatch(name) for name in names)}


def unmentioned(archive: Path) -> set[str]:
    claims = set(claims_in((archive / "README.md").read_text(encoding="utf-8")))
    return {
        path for path in files_in(archive) if not any(expression(each).fullmatch(path) for each in claims)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_explanations_name_what_is_there_and_nothing_else(tmp_path: Path, kind: str) -> None:
    archive = unpacked(tmp_path, varied(tmp_path / "images"), **KINDS[kind])
    assert unfounded(archive) == set()
    assert unmentioned(archive) == set()


def test_they_do_so_when_no_image_could_be_put_into_a_part(tmp_path: Path) -> None:
    images = varied(tmp_path / "images")
    archive = unpacked(tmp_path, images, [damaged(image) for image in images], **EVERYTHING)
    assert not list(archive.glob("visualizations/*"))
    assert unfounded(archive) == set()
    assert unmentioned(archive) == set()


def test_they_do_so_when_the_contact_sheet_has_several_pages(tmp_path: Path) -> None:
    images = varied(tmp_path / "images", [f"{number}.png" for number in range(61)])
    archive = unpacked(tmp_path, images, annotation_formats=[], metrics_formats=[])
    assert (archive / "contact_sheet/page_2.html").exists()
    assert unfounded(archive) == set()
    assert unmentioned(archive) == set()


def test_the_manifest_lists_everything_but_itself_and_the_checksums(tmp_path: Path) -> None:
    archive = unpacked(tmp_path, varied(tmp_path / "images"), **EVERYTHING)
    listed = {file["path"] for file in json.loads((archive / "manifest.json").read_bytes())["files"]}
    assert listed == files_in(archive) - {"manifest.json", "SHA256SUMS"}


def test_the_same_images_and_options_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        unpacked(folder, varied(tmp_path / "images"), **EVERYTHING)
    assert (first / "archive.zip").read_bytes() == (second / "archive.zip").read_bytes()
