"""Bars where the numbers say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exports.admin.plots import Chart, Series, round_step

STACKED = Chart(
    "days",
    "Exports a day",
    unit="exports",
    heading="day",
    columns=("Monday", "Tuesday"),
    marks=("Mon", "Tue"),
    series=(Series("completed", "Completed", (30, 0)), Series("failed", "Failed", (10, 20))),
)
BESIDE = replace(STACKED, is_stacked=False)


def test_bars_of_a_stack_stand_on_one_another() -> None:
    lower, upper = (bar for bar in STACKED.bars if bar.column == "Monday")
    assert (lower.kind, upper.kind) == ("completed", "failed")
    assert lower.y + lower.height == STACKED.base
    assert upper.y + upper.height == lower.y
    assert lower.height == pytest.approx(3 * upper.height, abs=0.02)


def test_bars_side_by_side_stand_on_the_ground() -> None:
    first, second = (bar for bar in BESIDE.bars if bar.column == "Monday")
    assert {bar.y + bar.height for bar in BESIDE.bars} == {BESIDE.base}
    assert first.x + first.width == pytest.approx(second.x)


def test_nothing_leaves_the_picture() -> None:
    for chart in (STACKED, BESIDE):
        for bar in chart.bars:
            assert chart.left <= bar.x < bar.x + bar.width <= chart.right
            assert 0 <= bar.y < bar.y + bar.height <= chart.base


def test_the_highest_level_is_not_below_the_highest_column() -> None:
    assert [level.value for level in STACKED.levels] == [0, 10, 20, 30, 40]
    assert [level.value for level in BESIDE.levels] == [0, 10, 20, 30]
    assert STACKED.levels[0].y == STACKED.base


def test_a_count_has_no_levels_between_whole_numbers() -> None:
    few = replace(STACKED, series=(Series("completed", "Completed", (1, 2)),))
    assert [level.value for level in few.levels] == [0, 1, 2]
    assert [level.value for level in replace(few, least_step=0.1).levels] == [0, 0.5, 1, 1.5, 2]


@pytest.mark.parametrize(("highest", "step"), [(5, 1), (6, 2), (26, 10), (1_000_000, 200_000), (0.3, 0.1)])
def test_steps_are_round(highest: float, step: float) -> None:
    assert round_step(highest) == pytest.approx(step)


def test_a_month_has_room_for_some_names_only() -> None:
    names = tuple(str(day) for day in range(1, 31))
    month = replace(STACKED, columns=names, marks=names, series=(Series("held", "Held", (1,) * 30),))
    assert [label.text for label in month.labels] == ["1", "6", "11", "16", "21", "26"]


def test_the_table_has_the_numbers_of_the_picture() -> None:
    assert [(row.column, row.values) for row in STACKED.rows] == [("Monday", (30, 10)), ("Tuesday", (0, 20))]
    assert (STACKED.peak.column, STACKED.peak.values) == ("Monday", (40,))


def test_a_chart_without_numbers_is_empty() -> None:
    assert replace(STACKED, columns=(), marks=(), series=(Series("median", "Median", ()),)).is_empty
    assert replace(STACKED, series=(Series("median", "Median", (0, 0)),)).is_empty
    assert not STACKED.is_empty
