"""Distributions of values that are too many to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

import numpy as np
from numpy.typing import NDArray

BINS = 100_000
FINEST = -6
"""The power of ten that is the width of the first bins."""
MOST_BARS = 30


@dataclass(frozen=True)
class Bars:
    edges: tuple[Decimal, ...]
    """One more than there are bars; a bar holds values from its lower edge up to below its upper one."""
    counts: tuple[int, ...]
    beyond: int = 0
    """How many values are at or above the last edge."""


class Histogram:
    """Counts values of 0 and more in bins as wide as a power of ten, tenfold when one lies beyond the last.

    Ten neighbours become one, so the counts are those that a second pass over all values would give.
    """

    def __init__(self) -> None:
        self._power = FINEST
        self._counts = np.zeros(BINS, np.int64)

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the values that are finite and not negative; the rest is left out."""
        known = values[np.isfinite(values) & (values >= 0)]
        if known.size:
            while self._places(known.max()) >= BINS:
                self._widen()
            self._counts += np.bincount(self._places(known).astype(np.int64), minlength=BINS)

    def bars(self, shown: float = 1.0) -> Bars | None:
        """At most `MOST_BARS` between round edges, which hold at least the share `shown` of the values, from the
        smallest on; None without values."""
        taken = np.flatnonzero(self._counts)
        if not taken.size:
            return None
        reached = np.cumsum(self._counts)
        first, last = int(taken[0]), int(np.searchsorted(reached, shown * reached[-1]))
        step = _step(first, last)
        edges = range(first // step * step, (last // step + 1) * step + 1, step)
        below = np.concatenate([[0], reached])[np.minimum(edges, BINS)]
        return Bars(
            edges=tuple(Decimal(edge).scaleb(self._power) for edge in edges),
            counts=tuple(np.diff(below).tolist()),
            beyond=int(reached[-1] - below[-1]),
        )

    def _places(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        # Rounded first: 0.3 is not quite three times 0.1 in binary numbers, but belongs into the fourth bin.
        return np.floor(np.round(values / 10.0**self._power, 6))

    def _widen(self) -> None:
        self._power += 1
        merged = self._counts.reshape(-1, 10).sum(axis=1)
        self._counts = np.concatenate([merged, np.zeros(BINS - len(merged), np.int64)])


def round_numbers() -> Iterator[int]:
    """1, 2, 5, 10, 20, …"""
    return (digit * 10**power for power in count() for digit in (1, 2, 5))


def _step(first: int, last: int) -> int:
    """The least round number of bins with which `MOST_BARS` bars, none too fine to be told from its neighbour,
    reach from `first` past `last`."""
    return next(
        step for step in round_numbers() if last // step - first // step < MOST_BARS and step >= last // 100
    )
