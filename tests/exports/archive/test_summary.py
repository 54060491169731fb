from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exports.archive.summary import Summary

numbers = st.one_of(st.floats(-1e6, 1e6, allow_subnormal=False), st.just(np.nan))
batches = st.lists(st.lists(st.tuples(numbers, numbers), max_size=8), max_size=5)


@given(batches)
def test_batches_give_the_statistics_of_all_values_at_once(batches: list[list[tuple[float, float]]]) -> None:
    summary = Summary.of_columns(2)
    for batch in batches:
        summary.add(np.array(batch).reshape(-1, 2))
    together = np.array([row for batch in batches for row in batch]).reshape(-1, 2)
    for found, column in zip(summary.rows(), together.T, strict=True):
        known = column[~np.isnan(column)]
        assert found[0] == len(known)
        if len(known) > 1:
            expected = [known.mean(), known.std(ddof=1), known.min(), known.max()]
            np.testing.assert_allclose(found[1:], expected, rtol=1e-9, atol=1e-6)


def test_a_column_without_values_has_no_mean() -> None:
    assert np.isnan(Summary.of_columns(1).rows()[0, 1:3]).all()


def test_one_value_has_no_deviation() -> None:
    summary = Summary.of_columns(1)
    summary.add(np.array([[3.0]]))
    np.testing.assert_array_equal(summary.rows(), [[1, 3, np.nan, 3, 3]])
