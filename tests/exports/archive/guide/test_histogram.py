"""Counts without a second pass, against numpy, which keeps every value."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exports.archive.guide.histogram import MOST_BARS, Bars, Histogram, round_numbers

VALUES = st.lists(st.floats(0, 1e12) | st.integers(0, 1000).map(float), min_size=1, max_size=200)


def bars_of(values: NDArray[np.float64], shown: float = 1.0, batches: int = 3) -> Bars | None:
    histogram = Histogram()
    for batch in np.array_split(values, batches):
        histogram.add(batch)
    return histogram.bars(shown)


def counted_by_numpy(values: NDArray[np.float64], bars: Bars) -> list[int]:
    """In each bar, and beyond the last."""
    edges = np.array([float(edge) for edge in bars.edges] + [np.inf])
    return [int(count) for count in np.histogram(values, edges)[0]]


@pytest.mark.parametrize("scale", [1e-5, 0.1, 1.0, 250.0, 3e6])
@pytest.mark.parametrize("shown", [1.0, 0.99])
def test_the_counts_are_those_of_numpy(scale: float, shown: float) -> None:
    values = np.random.default_rng(1).lognormal(1, 0.6, 5000) * scale
    bars = bars_of(values, shown)
    assert bars is not None
    assert [*bars.counts, bars.beyond] == counted_by_numpy(values, bars)
    assert bars.beyond <= (1 - shown) * len(values)
    assert 8 <= len(bars.counts) <= MOST_BARS


@pytest.mark.parametrize("divisor", [0.01, 1, 10, 100, 1000])
def test_a_value_on_an_edge_belongs_to_the_bar_above_it(divisor: float) -> None:
    bars = bars_of(np.arange(30) / divisor)
    assert bars is not None
    assert bars.counts == (1,) * 30


@given(VALUES)
@settings(max_examples=60)
def test_every_value_is_in_exactly_one_bar(values: list[float]) -> None:
    bars = bars_of(np.array(values))
    assert bars is not None
    assert (sum(bars.counts), bars.beyond) == (len(values), 0)
    assert len(bars.edges) == len(bars.counts) + 1 <= MOST_BARS + 1


@given(VALUES)
@settings(max_examples=60)
def test_bars_are_equally_wide_and_their_width_is_round(values: list[float]) -> None:
    bars = bars_of(np.array(values))
    assert bars is not None
    (width,) = {after - before for before, after in pairwise(bars.edges)}
    assert width.normalize().as_tuple().digits in {(1,), (2,), (5,)}


def test_a_giant_does_not_flatten_the_others() -> None:
    bars = bars_of(np.append(np.linspace(1, 100, 999), 1e6), 0.99)
    assert bars is not None
    assert bars.edges[-1] <= Decimal(105)
    assert bars.beyond >= 1


def test_what_is_no_value_or_negative_is_not_counted() -> None:
    bars = bars_of(np.array([np.nan, np.inf, -1.0, 2.5]))
    assert bars is not None
    assert sum(bars.counts) == 1
    assert bars_of(np.array([np.nan, -3.0])) is None


def test_round_numbers_are_one_two_and_five_of_each_power_of_ten() -> None:
    assert list(islice(round_numbers(), 7)) == [1, 2, 5, 10, 20, 50, 100]
