"""A histogram as SVG within HTML, with the numbers behind it in a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from exports.archive.guide.histogram import Bars, round_numbers

WIDTH, HEIGHT = 360, 210
_TOP, _RIGHT, _BOTTOM = 12, 14, 44
_DIGIT = 7
_GAP = 1.5
"""Units of the picture: about a pixel each, as wide as a phone shows it."""

_MOST_LABELS = 6


@dataclass(frozen=True)
class Plot:
    identity: str
    """Letters and hyphens, unique in its page."""
    title: str
    axis: str
    """What the edges are, with the unit: "area (µm²)"."""
    bars: Bars
    note: str = ""
    """What the bars do not show; empty where they show all."""


def figure(plot: Plot) -> str:
    note = f'<p class="quiet">{escape(plot.note)}</p>' if plot.note else ""
    return (
        f'<figure class="card plot"><figcaption>{escape(plot.title)}</figcaption>\n{_picture(plot)}\n{note}'
        f"<details><summary>The numbers of this plot</summary>{_table(plot)}</details></figure>\n"
    )


def _picture(plot: Plot) -> str:
    name, highest = plot.identity, max(plot.bars.counts)
    ticks = _ticks(highest)
    place = _Place(len(plot.bars.counts), ticks[-1], 12 + _DIGIT * len(f"{ticks[-1]:,}"))
    marks = [*_levels(place, ticks), *_columns(place, plot.bars), *_edges(place, plot.bars.edges)]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{escape(plot.title)}</title>'
        f'<desc id="{name}-text">{escape(_spoken(plot))}</desc>\n'
        + "\n".join(marks)
        + f'\n<text x="{place.x(place.columns / 2):g}" y="{HEIGHT - 6}" class="axis">{escape(plot.axis)}</text></svg>'
    )


@dataclass(frozen=True)
class _Place:
    """From bars and counts to the picture."""

    columns: int
    highest: int
    left: int

    def x(self, column: float) -> float:
        return round(self.left + column * (WIDTH - self.left - _RIGHT) / self.columns, 2)

    def y(self, count: int) -> float:
        return round(HEIGHT - _BOTTOM - count * (HEIGHT - _BOTTOM - _TOP) / self.highest, 2)


def _levels(place: _Place, ticks: list[int]) -> Iterator[str]:
    for tick in ticks:
        y = place.y(tick)
        yield f'<path class="level" d="M{place.left} {y:g}H{WIDTH - _RIGHT}"/>'
        yield f'<text class="count" x="{place.left - 6}" y="{y + 4:g}">{tick:,}</text>'


def _columns(place: _Place, bars: Bars) -> Iterator[str]:
    for column, count in enumerate(bars.counts):
        left, right, top = place.x(column) + _GAP / 2, place.x(column + 1) - _GAP / 2, place.y(count)
        size = f'width="{right - left:g}" height="{place.y(0) - top:g}"'
        said = f"<title>{_range(bars, column)}: {count:,}</title>"
        yield f'<rect class="bar" x="{left:g}" y="{top:g}" {size}>{said}</rect>'


def _edges(place: _Place, edges: tuple[Decimal, ...]) -> Iterator[str]:
    """Labels under every edge, or under every second, fifth, tenth … where they would touch."""
    widest = max(len(number(edge)) for edge in edges)
    most = max(1, min(_MOST_LABELS, (WIDTH - place.left) // (_DIGIT * (widest + 2))))
    every = next(each for each in round_numbers() if each * most >= len(edges) - 1)
    for column in range(0, len(edges), every):
        yield f'<text class="edge" x="{place.x(column):g}" y="{HEIGHT - _BOTTOM + 16}">{number(edges[column])}</text>'


def _ticks(highest: int) -> list[int]:
    """Round numbers from 0 to at least `highest`, six at most."""
    step = next(step for step in round_numbers() if 5 * step >= highest)
    return list(range(0, highest + step, step))


def _spoken(plot: Plot) -> str:
    bars = plot.bars
    column = max(range(len(bars.counts)), key=bars.counts.__getitem__)
    return (
        f"Histogram of {sum(bars.counts):,} objects by {plot.axis}, from {number(bars.edges[0])} to"
        f" {number(bars.edges[-1])}. Most, {bars.counts[column]:,}, lie in {_range(bars, column)}."
    )


def _table(plot: Plot) -> str:
    bars = plot.bars
    rows = [(_range(bars, column), count) for column, count in enumerate(bars.counts)]
    rows += [(f"{number(bars.edges[-1])} and more", bars.beyond)] if bars.beyond else []
    cells = "".join(f'<tr><th scope="row">{text}</th><td>{count:,}</td></tr>\n' for text, count in rows)
    head = f'<tr><th scope="col">{escape(plot.axis)}</th><th scope="col">objects</th></tr>'
    return f'<div class="wide"><table><thead>{head}</thead>\n<tbody>{cells}</tbody></table></div>'


def _range(bars: Bars, column: int) -> str:
    return f"{number(bars.edges[column])} – {number(bars.edges[column + 1])}"


def number(value: Decimal) -> str:
    return f"{value.normalize():,f}" if value < 10**9 else f"{value:.3g}"
