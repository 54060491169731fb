"""Statistics of columns that are too long to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exports.archive.geometry import Values


@dataclass(eq=False)
class Summary:
    """Count, mean, standard deviation, least and most of each column; NaN values are left out.

    Batches are merged pairwise (Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances", 1979), so that long tables lose no digits.
    """

    count: Values
    mean: Values
    squares: Values
    """Sum of squared distances from the mean."""
    least: Values
    most: Values

    @classmethod
    def of_columns(cls, columns: int) -> Summary:
        count, mean, squares = np.zeros((3, columns))
        return cls(count, mean, squares, np.full(columns, np.inf), np.full(columns, -np.inf))

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the rows of `values` (n, columns)."""
        count = np.isfinite(values).sum(axis=0)
        known = np.where(np.isfinite(values), values, 0.0)
        mean = known.sum(axis=0) / np.maximum(count, 1)
        squares = (np.where(np.isfinite(values), values - mean, 0.0) ** 2).sum(axis=0)
        total = np.maximum(self.count + count, 1)
        gap = mean - self.mean
        self.squares += squares + gap**2 * self.count * count / total
        self.mean += gap * count / total
        self.count += count
        self.least = np.fmin(self.least, np.fmin.reduce(values, axis=0, initial=np.inf))
        self.most = np.fmax(self.most, np.fmax.reduce(values, axis=0, initial=-np.inf))

    def rows(self) -> NDArray[np.float64]:
        """(columns, 5): count, mean, sample standard deviation, least, most; not finite without values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation = np.where(self.count > 1, np.sqrt(self.squares / (self.count - 1)), np.nan)
        mean = np.where(self.count > 0, self.mean, np.nan)
        return np.column_stack([self.count, mean, deviation, self.least, self.most])
