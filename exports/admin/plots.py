"""Bars as numbers of a picture, which a template draws as SVG. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10

WIDTH, HEIGHT = 320, 220
_TOP, _RIGHT, _BOTTOM, _LEFT = 20, 6, 36, 44
_GAP = 0.2
"""Of a column's width, between its bars and the next column's."""
_MOST_LABELS, _MOST_LEVELS = 6, 5


@dataclass(frozen=True)
class Series:
    kind: str
    """The class that colours its bars."""
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    kind: str
    name: str
    column: str
    value: float


@dataclass(frozen=True)
class Level:
    """A line across the picture, and the number beside it."""

    y: float
    value: float


@dataclass(frozen=True)
class Label:
    x: float
    text: str


@dataclass(frozen=True)
class Row:
    column: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """Columns of bars, one bar a series: on one another, or side by side."""

    identity: str
    """Letters and hyphens, unique in its page."""
    title: str
    unit: str
    """Of all values."""
    heading: str
    """What the columns are."""
    columns: tuple[str, ...]
    marks: tuple[str, ...]
    """The columns' names again, short, for below the picture."""
    series: tuple[Series, ...]
    is_stacked: bool = True
    least_step: float = 1
    """Between two lines of the picture: 1 where halves make no sense."""
    note: str = ""

    width, height = WIDTH, HEIGHT
    left, right, base = _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM
    middle = (_LEFT + WIDTH - _RIGHT) // 2

    @cached_property
    def is_empty(self) -> bool:
        return not any(value for series in self.series for value in series.values)

    @cached_property
    def totals(self) -> tuple[float, ...]:
        """The height of each column: all of its bars, or the highest of those that stand side by side."""
        combine = sum if self.is_stacked else max
        return tuple(combine(values) for values in zip(*self._values, strict=True))

    @cached_property
    def peak(self) -> Row:
        """The highest column, the first of several."""
        place = max(range(len(self.columns)), key=self.totals.__getitem__)
        return Row(self.columns[place], (self.totals[place],))

    @property
    def rows(self) -> Iterator[Row]:
        """The same numbers as a table."""
        for column, values in zip(self.columns, zip(*self._values, strict=True), strict=True):
            yield Row(column, values)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        highest = max(self.totals) or 1
        step = max(self.least_step, round_step(highest))
        count = ceil(round(highest / step, 6))
        values = (round(number * step, 6) for number in range(count + 1))
        return tuple(Level(self._y(value, count * step), value) for value in values)

    @property
    def labels(self) -> Iterator[Label]:
        """Under the middle of every column, or of every second, third … where they would touch."""
        every = ceil(len(self.columns) / _MOST_LABELS)
        for place in range(0, len(self.columns), every):
            yield Label(round(self.left + (place + 0.5) * self._step, 2), self.marks[place])

    @property
    def bars(self) -> Iterator[Bar]:
        """Those that can be seen."""
        highest = self.levels[-1].value
        for place, column in enumerate(self.columns):
            below = 0.0
            for number, series in enumerate(self.series):
                value = series.values[place]
                top = self._y(below + value, highest)
                size = round(self._y(below, highest) - top, 2)
                if value:
                    x = self._x(place, number)
                    yield Bar(x, top, self._bar, size, series.kind, series.name, column, value)
                below += value if self.is_stacked else 0

    @property
    def _values(self) -> list[tuple[float, ...]]:
        return [series.values for series in self.series]

    @property
    def _step(self) -> float:
        return (self.right - self.left) / max(1, len(self.columns))

    @property
    def _bar(self) -> float:
        return round(self._step * (1 - _GAP) / (1 if self.is_stacked else len(self.series)), 2)

    def _x(self, place: int, number: int) -> float:
        aside = 0.0 if self.is_stacked else number * self._bar
        return round(self.left + (place + _GAP / 2) * self._step + aside, 2)

    def _y(self, value: float, highest: float) -> float:
        return round(self.base - value * (self.base - _TOP) / highest, 2)


def round_step(highest: float) -> float:
    """1, 2 or 5 times a power of ten, so that few steps reach `highest`."""
    power = 10.0 ** floor(log10(highest / _MOST_LEVELS))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor * _MOST_LEVELS >= highest)
