from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.archive.naming import MAX_BYTES, MAX_CHARACTERS, Name, Names, safe_name

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

awkward = st.text(alphabet=st.sampled_from(list("aA.  /\\:éÉß\u0301\x00\n\u202eCON1~*|?")), max_size=12)
originals = st.one_of(st.text(max_size=300), awkward)


def names_for(*originals: str) -> list[Name]:
    names = Names()
    return [names.add(f"{number:08d}-aaaa", original) for number, original in enumerate(originals)]


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("cells 01.png", "cells 01.png"),
        ("../../etc/passwd", "_._etc_passwd"),
        ("a/b\\c:d.png", "a_b_c_d.png"),
        ("..", "image"),
        ("", "image"),
        (".png", "image.png"),
        ("..png", "image.png"),
        ("line\nbreak\x00.tif", "line_break_.tif"),
        ("trailing. . ", "trailing"),
        ("dots...png", "dots.png"),
        ("a..b.png", "a.b.png"),
        (".hidden file", "hidden file"),
        ("CON.png", "_CON.png"),
        ("con", "_con"),
        ("lpt1.tar.png", "_lpt1.tar.png"),
        ("console.png", "console.png"),
        ("evil\u202egnp.exe", "evil_gnp.exe"),
        ("e\u0301.png", "\u00e9.png"),
    ],
)
def test_a_name_is_made_safe(original: str, expected: str) -> None:
    assert safe_name(original) == expected


@pytest.mark.parametrize(
    "original", ["x" * 300 + ".png", "é" * 300 + ".jpeg", "細胞" * 100 + ".tif", "😀" * 200]
)
def test_a_long_name_is_cut_and_keeps_its_ending(original: str) -> None:
    name = safe_name(original)
    assert len(name) <= MAX_CHARACTERS
    assert len(name.encode()) <= MAX_BYTES
    assert name.endswith(PurePosixPath(original).suffix)
    assert original.startswith(name[:20])


@given(originals)
def test_a_safe_name_is_one_path_component_on_every_system(original: str) -> None:
    name = safe_name(original)
    assert name not in {"", ".", ".."}
    assert PurePosixPath(name).name == name
    assert not re.search(r'[/\\:*?"<>|\x00-\x1f\x7f]', name)
    assert not name.endswith((".", " "))
    assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d) *(\.|$)", name)
    assert unicodedata.is_normalized("NFC", name)
    assert len(name) <= MAX_CHARACTERS
    assert len(name.encode()) <= MAX_BYTES


@given(originals)
def test_a_safe_name_stays_as_it_is(original: str) -> None:
    assert safe_name(safe_name(original)) == safe_name(original)


@given(st.lists(originals, max_size=30))
def test_names_and_stems_are_unique_when_case_is_ignored(originals: list[str]) -> None:
    names = names_for(*originals)
    assert len({name.name.casefold() for name in names}) == len(originals)
    assert len({unicodedata.normalize("NFC", name.stem.casefold()) for name in names}) == len(originals)
    assert all(safe_name(name.name) == name.name for name in names)


@given(st.lists(originals, max_size=10))
def test_the_same_images_get_the_same_names(originals: list[str]) -> None:
    assert names_for(*originals) == names_for(*originals)


def test_only_a_collision_appends_the_start_of_the_id() -> None:
    names = Names()
    assert names.add(ID, "a.png") == Name("a.png", "a")
    assert names.add(OTHER_ID, "A.PNG") == Name("A_7c9e6679.PNG", "A_7c9e6679")


def test_images_that_differ_in_their_ending_only_get_different_stems() -> None:
    first, second = names_for("a.jpg", "a.png")
    assert (first.stem, second.stem) == ("a", "a_00000001")


def test_a_name_that_looks_like_one_already_made_unique_gets_its_own() -> None:
    names = Names()
    names.add(OTHER_ID, "a_0f8fad5b.png")
    names.add(OTHER_ID, "a.png")
    assert names.add(ID, "a.png").stem == "a_0f8fad5bd9cb469fa16570867728950e"


def test_long_names_that_differ_only_at_the_end_stay_apart_and_short() -> None:
    names = names_for("x" * 250 + "1.png", "x" * 250 + "2.png")
    assert names[0].name != names[1].name
    assert all(len(name.name) <= MAX_CHARACTERS for name in names)
