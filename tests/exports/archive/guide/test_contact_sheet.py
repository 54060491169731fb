"""index.html and its further pages, as a parser of HTML finds them; a real browser looks at them in tests/browser."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from exports.archive.dataset import Image
from exports.archive.guide.contact_page import rounded
from exports.archive.guide.contact_sheet import ON_A_PAGE, ContactSheet
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square
from tests.exports.archive.guide.archives import EVERYTHING, damaged, unpacked
from tests.exports.archive.guide.images import HOSTILE, NAMES, varied

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "h3", "p", "a", "img",
    "div", "dl", "dt", "dd", "small", "ul", "li", "bdi", "code", "figure", "figcaption", "svg", "desc", "path", "rect",
    "text", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "nav", "span",
}  # fmt: skip


class Page(HTMLParser):
    """What a page holds: elements, attributes, addresses, and the cells of its table of images."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._is_in_cell = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._is_in_cell:
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def addresses(self) -> list[str]:
        return [each[name] for _, each in self.elements for name in ("href", "src") if name in each]


def pages_of(archive: Path) -> list[Page]:
    count = len(list(archive.glob("contact_sheet/*")))
    further = [archive / f"contact_sheet/page_{number}.html" for number in range(2, count + 2)]
    return [Page(path) for path in (archive / "index.html", *further)]


def broken(page: Page) -> list[str]:
    """Addresses that lead nowhere, taken apart as a browser does it: `#` and `?` end a path."""
    paths = {each: unquote(urlsplit(each).path) for each in page.addresses()}
    return [each for each, path in paths.items() if not (page.path.parent / path).is_file()]


def many(folder: Path, count: int) -> list[Image]:
    return varied(folder, [f"{number:03}.png" for number in range(1, count + 1)])


@pytest.mark.parametrize("names", [NAMES, HOSTILE], ids=["odd", "hostile"])
def test_every_address_leads_to_a_file_of_the_archive(tmp_path: Path, names: Sequence[str]) -> None:
    images = named(tmp_path / "images", names)
    (page,) = pages_of(unpacked(tmp_path, images, **EVERYTHING))
    assert len(page.addresses()) > 5 * len(names)
    assert broken(page) == []


def named(folder: Path, names: Sequence[str]) -> list[Image]:
    """Their files are named as the worker names them."""
    if names is NAMES:
        return varied(folder, names)
    images = many(folder, len(names))
    return [replace(image, original_name=name) for image, name in zip(images, names, strict=True)]


def test_text_of_users_is_never_markup(tmp_path: Path) -> None:
    fields = {"project_name": HOSTILE[0], "class_names": (HOSTILE[1],)}
    images = named(tmp_path / "images", HOSTILE)
    (page,) = pages_of(unpacked(tmp_path, images, [damaged(images[1])], fields, **EVERYTHING))
    assert {tag for tag, _ in page.elements} <= ALLOWED
    assert [name for _, each in page.elements for name in each if name.startswith("on")] == []
    for name in HOSTILE:
        assert name in page.text


def test_nothing_is_run_or_fetched_from_elsewhere(tmp_path: Path) -> None:
    for page in pages_of(unpacked(tmp_path, many(tmp_path / "images", ON_A_PAGE + 1))):
        (policy,) = [each["content"] for each in page.all("meta") if "http-equiv" in each]
        assert policy.startswith("default-src 'none'; ")
        assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
        assert [each for each in page.addresses() if ":" in each or each.startswith("/")] == []
        assert "url(" not in page.text
        assert "@import" not in page.text


def test_the_table_has_the_measures_of_each_image(tmp_path: Path) -> None:
    image = image_of(objects_of([[square(0, 0, 10)]], [[square(20, 0, 20)]]), tmp_path, pixel_size=0.5)
    (page,) = pages_of(unpacked(tmp_path, [image], fields={"unit": "µm"}))
    head, row = page.rows[-2:]
    assert head[:5] == ["Image", "Objects", "Total area (µm²)", "Mean area (µm²)", "Area fraction"]
    assert row[:5] == ["cell 1.png", "2", "125.0", "62.50", "16.3 %"]


def test_units_stand_in_the_cells_where_images_differ_in_them(tmp_path: Path) -> None:
    images = [
        image_of(objects_of([[square(0, 0, 10)]]), tmp_path, number=n, pixel_size=s)
        for n, s in ((1, 0.5), (2, None))
    ]
    (page,) = pages_of(unpacked(tmp_path, images))
    assert [row[2] for row in page.rows[-2:]] == ["25.00 µm²", "100.0 px²"]
    assert "area (px²)" in page.text
    assert "area (µm²)" in page.text


def test_an_image_whose_outlines_are_damaged_is_not_shown_as_empty(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 3)
    (page,) = pages_of(unpacked(tmp_path, images, [damaged(images[0])]))
    (row,) = [row for row in page.rows if row[0] == "001.png"]
    assert row[1:5] == ["–"] * 4
    assert row[5] == "Original images"
    assert "Its outlines are damaged." in page.text
    assert broken(page) == []


def test_nothing_leads_to_what_could_not_be_made_of_an_image(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 2)
    images[0].original.write_bytes(b"this is no image")
    (page,) = pages_of(unpacked(tmp_path, images, annotation_formats=["imagej"]))
    (row,) = [row for row in page.rows if row[0] == "001.png"]
    assert row[5] == "ImageJ ROIs"
    assert broken(page) == []


def test_pictures_are_overlays_of_their_size_and_loaded_when_seen(tmp_path: Path) -> None:
    (page,) = pages_of(unpacked(tmp_path, many(tmp_path / "images", 2)))
    (first, _) = page.all("img")
    assert first["src"] == "visualizations/001_overlay.png"
    assert (first["width"], first["height"], first["loading"]) == ("64", "48", "lazy")
    assert first["alt"] == "001.png with its outlines"


def test_without_overlays_the_originals_are_shown_that_a_browser_reads(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 2)
    tiff = image_of(objects_of(), tmp_path, number=3, name="stack.tif", original=images[0].original)
    tiff = replace(tiff, sha256=images[0].sha256)
    (page,) = pages_of(unpacked(tmp_path, [*images, tiff], include_visualizations=False))
    assert [each["src"] for each in page.all("img")] == ["images/001.png", "images/002.png"]
    assert "Browsers show no pictures of this kind" in page.text


def test_without_any_picture_it_says_so(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 2)
    (page,) = pages_of(
        unpacked(tmp_path, images, include_visualizations=False, include_original_images=False)
    )
    assert page.all("img") == []
    assert "There are no pictures of these images in the archive" in page.text


def test_the_plots_count_every_object_once(tmp_path: Path) -> None:
    (page,) = pages_of(unpacked(tmp_path, many(tmp_path / "images", 4)))
    counts = [int(row[1]) for row in page.rows if len(row) == 2 and row[1].isdigit()]
    assert sum(counts) == 2 * 12  # areas and circularities of three images of four objects


def test_without_objects_there_are_no_plots(tmp_path: Path) -> None:
    (page,) = pages_of(unpacked(tmp_path, [image_of(folder=tmp_path)]))
    assert page.all("svg") == []
    assert "Distributions" not in page.text


def test_many_images_are_spread_over_pages_that_lead_to_each_other(tmp_path: Path) -> None:
    pages = pages_of(unpacked(tmp_path, many(tmp_path / "images", 2 * ON_A_PAGE + 1)))
    assert [len(page.all("img")) for page in pages] == [ON_A_PAGE, ON_A_PAGE, 1]
    assert [each for page in pages for each in broken(page)] == []
    following = [each for each in pages[1].addresses() if each.endswith(".html")]
    assert sorted(set(following)) == ["../contact_sheet/page_3.html", "../index.html"]
    assert "061.png – 120.png" in pages[0].text


def test_a_full_page_is_not_followed_by_an_empty_one(tmp_path: Path) -> None:
    assert len(pages_of(unpacked(tmp_path, many(tmp_path / "images", ON_A_PAGE)))) == 1


def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    sheet = ContactSheet(dataset_of(tmp_path))
    image = image_of(original_name="x" * 200)

    def peak_of(count: int) -> int:
        tracemalloc.start()
        for _ in range(count):
            sheet.add(image, {}, is_damaged=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few = peak_of(2 * ON_A_PAGE)
    assert peak_of(50 * ON_A_PAGE) < few + 200_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567.8, "1,234,568"),
        (12.3456, "12.35"),
        (0.00123456, "0.001235"),
        (-5, "-5.000"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_rounded_to_what_says_something(value: float, text: str) -> None:
    assert rounded(value) == text
