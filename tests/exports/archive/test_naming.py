from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import PurePosixPath
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exports.archive.dataset import Image
from exports.archive.guide.names import NamesTable
from exports.archive.naming import MAX_BYTES, MAX_CHARACTERS, Name, Names, _key, safe_name
from tests.exports.archive.builders import content_of, dataset_of, image_of

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

AWKWARD = "aA.  /\\:éÉß\u0301\x00\n\u202eCON1~*|?-=+@'İıIiſsςσΣﬁK\u212a\u0345\u200d\u2067\ud800😀👩‍🔬שלוםمرحبا각\u1100\u1161"
MOST_BYTES = 255
"""Of a name on ext4, XFS, APFS and NTFS; ours are UTF-8."""

MADE_OF_STEMS = (
    "_overlay.png",
    "_overlay.jpg",
    "_RoiSet.zip",
    "_labels.tif",
    "_seg.npy",
    ".geojson",
    ".json",
    ".txt",
)

awkward = st.text(alphabet=st.sampled_from(list(AWKWARD)), max_size=12)
device = st.builds(
    "{}{}{}".format,
    st.sampled_from(["con", "PRN", "Aux", "nul", "COM1", "com¹", "lpt9", "LPT0", "conin$", "clock$"]),
    st.sampled_from(["", " ", ".", ". ", "_"]),
    st.sampled_from(["", ".png", "txt", ".tar.gz"]),
)
anything = st.text(st.characters(), max_size=300)
"""Unpaired surrogates, control and bidi characters among it."""

originals = st.one_of(anything, awkward, device, st.builds("{0}.{1}".format, anything, awkward))


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
    assert not re.match(r"(?i)(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|clock\$) *(\.|$)", name)
    assert not name.startswith(("-", "~", "=", "+", "@", " ", "."))
    assert not {unicodedata.category(letter) for letter in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
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


@example(["é" * 300, "é" * 300 + ".png"])
@given(st.lists(originals, max_size=20))
def test_whatever_is_made_of_a_stem_fits_into_a_file_system(originals: list[str]) -> None:
    for name in names_for(*originals):
        paths = [name.name, *(name.stem + ending for ending in MADE_OF_STEMS)]
        assert max(len(path.encode()) for path in paths) <= MOST_BYTES
        assert max(len(path.encode("utf-16-le")) // 2 for path in paths) <= MOST_BYTES
        short = [path for path in paths if len(path) <= MAX_CHARACTERS and len(path.encode()) <= MAX_BYTES]
        assert [safe_name(path) for path in short] == short


SAME_SOMEWHERE = [
    ("é.png", "e\u0301.png"),
    ("É.png", "e\u0301.PNG"),
    ("straße.png", "STRASSE.png"),
    ("ıssız.png", "ISSIZ.png"),
    ("İ.png", "i\u0307.png"),
    ("ſ.png", "s.png"),
    ("ΣΑΣ.png", "σας.png"),
    ("\u212a.png", "k.png"),
    ("\u1fb3\u0301.png", "\u03b1\u0301\u0345.png"),
    ("각.png", "\u1100\u1161\u11a8.png"),
]


@pytest.mark.parametrize(("first", "second"), SAME_SOMEWHERE)
def test_what_some_file_system_takes_for_the_same_gets_two_names(first: str, second: str) -> None:
    names = names_for(first, second)
    assert names[1].stem.endswith("_00000001")


def test_no_letter_is_told_from_another_by_its_case_alone() -> None:
    """Every letter against its capital, its small and its folded form."""
    for code in range(0x110000):
        letter = chr(code)
        forms = {letter, letter.upper(), letter.lower(), letter.casefold(), letter.title()}
        if len(forms) > 1 and not 0xD800 <= code < 0xE000:
            assert len({_key(f"x{form}y") for form in forms}) == 1, letter


@example(["=x", "'=x", "''=x", "'x"])
@given(st.lists(originals, max_size=12))
def test_the_table_of_names_gives_back_every_original(
    tmp_path_factory: pytest.TempPathFactory, originals: list[str]
) -> None:
    originals = [each.encode(errors="replace").decode().replace("\0", "") for each in originals]
    names = Names()
    images = [_named(names, number, each) for number, each in enumerate(originals, start=1)]
    table = NamesTable(dataset_of(tmp_path_factory.getbasetemp(), *images))
    for image in images:
        assert list(table.add(image)) == []
    text = content_of(*table.finish()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows] == [image.name for image in images]
    assert [re.sub(r"\A'(?='*[=+@\t\r\n-])", "", row["original_name"]) for row in rows] == originals


def _named(names: Names, number: int, original: str) -> Image:
    name = names.add(str(UUID(int=number)), original)
    return image_of(number=number, original_name=original, name=name.name, stem=name.stem)
