"""Plots as a reader of XML finds them: what is drawn, what is said, and the numbers behind."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from exports.archive.guide.histogram import Bars
from exports.archive.guide.plot import WIDTH, Plot, figure

BARS = Bars(tuple(map(Decimal, (0, 50, 100, 150))), (3, 12, 0), beyond=2)
PLOT = Plot("area-px", "Area <of> & objects", "area (px²)", BARS, "Not drawn: 2.")


def drawn(plot: Plot = PLOT) -> ElementTree.Element:
    return ElementTree.fromstring(figure(plot))


def test_bars_are_as_high_as_their_counts() -> None:
    heights = [float(bar.attrib["height"]) for bar in drawn().iter("rect")]
    assert heights == pytest.approx([heights[1] / 4, heights[1], 0], abs=0.02)
    assert heights[1] > 50


def test_each_bar_says_what_it_holds() -> None:
    assert [bar.findtext("title") for bar in drawn().iter("rect")] == [
        "0 – 50: 3",
        "50 – 100: 12",
        "100 – 150: 0",
    ]


def test_the_numbers_stand_in_a_table() -> None:
    rows = [["".join(cell.itertext()) for cell in row] for row in drawn().iter("tr")]
    assert rows == [
        ["area (px²)", "objects"], ["0 – 50", "3"], ["50 – 100", "12"], ["100 – 150", "0"], ["150 and more", "2"],
    ]  # fmt: skip


def test_the_picture_has_a_name_and_a_description() -> None:
    picture = drawn().find("svg")
    assert picture is not None
    assert picture.attrib["role"] == "img"
    named = {each.attrib["id"]: each.text for each in picture if each.tag in ("title", "desc")}
    assert list(named) == picture.attrib["aria-labelledby"].split()
    title, description = named.values()
    assert title == "Area <of> & objects"
    assert "15 objects by area (px²), from 0 to 150. Most, 12, lie in 50 – 100." in str(description)


@pytest.mark.parametrize("edges", [(0, 5), tuple(range(31)), tuple(range(0, 3_000_001, 100_000))])
def test_labels_of_the_axis_do_not_touch(edges: tuple[int, ...]) -> None:
    plot = Plot("a", "A", "a", Bars(tuple(map(Decimal, edges)), (7,) * (len(edges) - 1)))
    labels = [text for text in drawn(plot).iter("text") if text.attrib["class"] == "edge"]
    ends = [(float(label.attrib["x"]), 3.5 * len(label.text or "")) for label in labels]
    assert len(labels) >= 2
    assert all(x + half < after - next_half for (x, half), (after, next_half) in pairwise(ends))
    assert ends[0][0] >= 0
    assert ends[-1][0] <= WIDTH


@pytest.mark.parametrize("highest", [1, 2, 3, 7, 10, 99, 1_000, 1_234_567])
def test_the_scale_reaches_the_highest_bar_in_a_few_round_steps(highest: int) -> None:
    plot = Plot("a", "A", "a", Bars((Decimal(0), Decimal(1)), (highest,)))
    counts = [text.text for text in drawn(plot).iter("text") if text.attrib["class"] == "count"]
    ticks = [int(str(count).replace(",", "")) for count in counts]
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 6
    assert highest <= ticks[-1] < 2.6 * highest
