"""index.html: all images at a glance, how their objects are distributed, and what lies where.

It opens from a folder, without a network, and has no script. The first 60 images stand on index.html, the next
on `contact_sheet/page_2.html` and so on, so that ten thousand do not stop a browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from tempfile import TemporaryFile

import numpy as np

from exports.archive.columns import MEASURES
from exports.archive.dataset import Dataset, Image
from exports.archive.guide import Contents, contact_page
from exports.archive.guide.contact_page import Files, rounded
from exports.archive.guide.histogram import Bars, Histogram
from exports.archive.guide.plot import Plot, figure
from exports.archive.guide.readme import scale_of
from exports.archive.measure import Measurements, measurements_of
from exports.archive.summary import Summary
from exports.archive.zipping import Entry, Spool

ON_A_PAGE = 60

_NAMES = [column.name for column in MEASURES]
_AREA, _CIRCULARITY = _NAMES.index("area"), _NAMES.index("circularity")
_BELOW_ONE = np.nextafter(1.0, 0.0)

SHOWN = 0.99
"""The share of the areas that are drawn at least: a few giants would flatten all others."""


@dataclass(frozen=True)
class _Page:
    """Where the images of one page lie in the file of all pages, and which they are."""

    start: int
    length: int
    first: str
    last: str


@dataclass(eq=False)
class _Areas:
    """Of the objects whose lengths are in one unit."""

    summary: Summary = field(default_factory=lambda: Summary.of_columns(1))
    histogram: Histogram = field(default_factory=Histogram)


class ContactSheet:
    """Told of each image and of the files made of it; keeps the pages on disk."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._file = TemporaryFile(dir=dataset.workspace)  # noqa: SIM115 - lives until the pages are written
        self._pages: list[_Page] = []
        self._cards: list[str] = []
        self._rows: list[str] = []
        self._names: list[str] = []
        self._has_pictures = False
        self._areas: dict[str, _Areas] = {}
        self._circularity = Histogram()

    def add(self, image: Image, files: Files, *, is_damaged: bool) -> None:
        """`is_damaged` when its objects could not be read: they are not counted as none."""
        base = "../" if self._pages else ""
        measured = measurements_of(image, self._dataset)
        self._cards.append(contact_page.card(image, files, base, is_damaged=is_damaged))
        unit = self._dataset.unit
        self._rows.append(contact_page.row(image, measured, files, base, unit, is_damaged=is_damaged))
        self._names.append(image.original_name)
        self._has_pictures |= contact_page.picture_of(files) is not None
        if not is_damaged:
            self._measure(measured)
        if len(self._rows) == ON_A_PAGE:
            self._turn()

    def finish(self, contents: Contents) -> Iterator[Entry]:
        """Every page, index.html first. Once only."""
        if self._rows or not self._pages:
            self._turn()
        for number in range(1, len(self._pages) + 1):
            spool = Spool(self._dataset.workspace)
            for piece in self._page(number, contents):
                self._dataset.checkpoint()
                spool.write(piece.encode())
            yield Entry(_path(number), spool)

    def _measure(self, measured: Measurements) -> None:
        areas, circularities = measured.objects[:, _AREA], measured.objects[:, _CIRCULARITY]
        of_unit = self._areas.setdefault(measured.unit, _Areas())
        of_unit.summary.add(areas[:, None])
        of_unit.histogram.add(areas)
        self._circularity.add(np.minimum(circularities, _BELOW_ONE))  # 1 belongs to the last bar

    def _turn(self) -> None:
        """Put the images since the last page away as one."""
        section = contact_page.images_section(
            self._cards, self._rows, self._dataset.unit, has_pictures=self._has_pictures
        )
        first, last = (self._names[0], self._names[-1]) if self._names else ("", "")
        start = self._file.tell()
        self._pages.append(_Page(start, self._file.write(section.encode()), first, last))
        for each in (self._cards, self._rows, self._names):
            each.clear()
        self._has_pictures = False

    def _page(self, number: int, contents: Contents) -> Iterator[str]:
        dataset = self._dataset
        top = contact_page.header(dataset, contents.program_version, scale_of(dataset))
        if number == 1:
            return contact_page.document(dataset.project_name, top, self._index(contents))
        title = f"Page {number} of {len(self._pages)}: {dataset.project_name}"
        return contact_page.document(title, top, self._images(number))

    def _index(self, contents: Contents) -> Iterator[str]:
        yield contact_page.figures(self._figures(contents))
        yield contact_page.left_out(contents.left_out)
        plots = "".join(figure(plot) for plot in self._plots(contents.read.objects))
        if plots:
            yield f'<section><h2>Distributions</h2><div class="plots">{plots}</div></section>\n'
        yield from self._images(1)
        yield contact_page.parts(contents)

    def _images(self, number: int) -> Iterator[str]:
        page = self._pages[number - 1]
        self._file.seek(page.start)
        if len(self._pages) > 1:
            yield f"<section>{self._navigation(number, 'above')}{self._names_of_pages(number)}</section>\n"
        yield self._file.read(page.length).decode()
        if len(self._pages) > 1:
            yield self._navigation(number, "below")

    def _figures(self, contents: Contents) -> Iterator[tuple[str, str, str]]:
        dataset = self._dataset
        missing = contents.read.images < dataset.image_count
        yield "Images", f"{contents.read.images:,}", f"of {dataset.image_count:,}" if missing else ""
        yield "Objects", f"{contents.read.objects:,}", _counted(len(dataset.class_names), "class", "classes")
        for unit, areas in sorted(self._areas.items()):
            count, mean, deviation, *_ = areas.summary.rows()[0].tolist()
            if count:
                spread = f" ± {rounded(deviation)} (SD)" if count > 1 else ""
                yield "Mean area of an object", rounded(mean), f"{unit}²{spread}"

    def _plots(self, objects: int) -> Iterator[Plot]:
        for unit, areas in sorted(self._areas.items()):
            bars = areas.histogram.bars(SHOWN)
            if bars:
                of_unit = f" (images in {unit})" if len(self._areas) > 1 else ""
                note = _not_drawn(bars, areas.summary, unit)
                name = "area-px" if unit == "px" else "area-um"
                yield Plot(name, f"Area of the objects{of_unit}", f"area ({unit}²)", bars, note)
        bars = self._circularity.bars()
        if bars:
            missing = objects - sum(bars.counts)
            note = f"Not drawn: {missing:,} without a circularity." if missing else ""
            yield Plot("circularity", "Circularity of the objects", "circularity (1 is a circle)", bars, note)

    def _navigation(self, number: int, where: str) -> str:
        base = "" if number == 1 else "../"
        steps = [(number - 1, "Previous"), (number + 1, "Next")]
        links = [
            f'<a href="{base}{_path(other)}">{word}</a>'
            for other, word in steps
            if 0 < other <= len(self._pages)
        ]
        overview = "" if number == 1 else f'<a href="{base}{_path(1)}">Overview and all pages</a>'
        return (
            f'<nav aria-label="Pages, {where} the images"><span>Page {number} of {len(self._pages)}</span>'
            f"{''.join(links)}{overview}</nav>\n"
        )

    def _names_of_pages(self, number: int) -> str:
        """On the first page, which images stand on which, to find one by its name."""
        if number > 1:
            return ""
        lines = (
            f'<li><a href="{_path(number)}">Page {number}</a>: <bdi>{escape(page.first)}</bdi> – <bdi>{escape(page.last)}</bdi></li>'
            for number, page in enumerate(self._pages, 1)
        )
        return f'<details><summary>Find an image by its name</summary><ul class="names">{"".join(lines)}</ul></details>\n'


def _path(number: int) -> str:
    return "index.html" if number == 1 else f"contact_sheet/page_{number}.html"


def _counted(count: int, word: str, words: str) -> str:
    return f"{count:,} {word if count == 1 else words}"


def _not_drawn(bars: Bars, summary: Summary, unit: str) -> str:
    """A sentence for the objects that no bar stands for."""
    largest = (
        f"Not drawn: {bars.beyond:,} larger, up to {rounded(float(summary.most[0]))} {unit}². "
        if bars.beyond
        else ""
    )
    negative = int(summary.count[0]) - sum(bars.counts) - bars.beyond
    crossed = f"Not drawn: {negative:,} of negative area, whose outline crosses itself." if negative else ""
    return (largest + crossed).strip()
