"""The benchmarks run, and count the same work on every side. Times are never asserted."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from bench import copying, everything, floor, goals, judges, large, naive, product, report
from bench.outcome import Outcome
from bench.runs import Run, median_of
from bench.sizes import SIZES
from bench.stopwatch import STAGES, Stopwatch
from projects import synthetic
from projects.models import Project
from tests.judges import needs_7z, needs_java

SIZE = SIZES["quick"]


@pytest.fixture
def tiny(alice: User) -> Project:
    return synthetic.create(SIZE.name, alice, SIZE.images, SIZE.pixels, SIZE.objects)


@pytest.fixture
def ours(tiny: Project, tmp_path: Path, bell: list[tuple[str, str, str]]) -> Outcome:
    return product.export(tiny, tmp_path)


@pytest.fixture
def theirs(tiny: Project, tmp_path: Path) -> Outcome:
    return naive.export(tiny, tmp_path)


def test_both_sides_write_the_same_images_and_objects(ours: Outcome, theirs: Outcome) -> None:
    expected = {"originals": 3, "overlays": 3, "objects": 18}
    assert [{name: side.counts[name] for name in expected} for side in (ours, theirs)] == [expected] * 2


def test_the_product_deflates_nothing_again_and_the_baseline_everything(
    ours: Outcome, theirs: Outcome
) -> None:
    assert (ours.counts["deflated_again"], theirs.counts["deflated_again"]) == (0, 7)


def test_the_product_decodes_each_image_once(ours: Outcome) -> None:
    assert ours.counts["decodes"] == 3


def test_the_product_asks_no_query_for_each_image(
    ours: Outcome, alice: User, tmp_path: Path, bell: list[tuple[str, str, str]]
) -> None:
    larger = product.export(synthetic.create("larger", alice, 20, 16, 1), tmp_path)
    # Heartbeats come with time, not with images: three queries each.
    assert larger.counts["queries"] < ours.counts["queries"] + 20


def test_every_stage_of_the_product_stands_in_the_table(ours: Outcome) -> None:
    assert set(ours.stages) - set(STAGES) == set()
    assert {"rows", "decode", "overlays", "coco", "xlsx", "measures", "publish"} <= set(ours.stages)


def test_nothing_stays_behind_on_disk(tiny: Project, tmp_path: Path) -> None:
    for side in (naive, floor, copying):
        side.export(tiny, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_inner_stage_is_not_counted_in_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([(0.0, 0.0), (1.0, 0.5), (3.0, 2.5), (7.0, 3.0), (8.0, 4.0), (8.5, 4.5)])
    monkeypatch.setattr("bench.stopwatch._now", lambda: next(moments))
    watch = Stopwatch()
    with watch.stage("outer"), watch.stage("inner"):
        pass
    found = {stage: (spent.wall, spent.cpu) for stage, spent in watch.stop().items()}
    assert found == {"rest": (1.5, 1.0), "outer": (3.0, 3.0), "inner": (4.0, 0.5)}


def test_the_median_of_each_number_is_taken_by_itself() -> None:
    merged = median_of([_run(wall=1.0, cpu=9.0), _run(wall=2.0, cpu=1.0), _run(wall=9.0, cpu=2.0)])
    assert (merged["wall"], merged["cpu"], merged["runs"]) == (2.0, 2.0, 3)


def test_a_goal_is_missed_by_a_figure_beyond_its_limit() -> None:
    sides = {side: _run(wall=2.0, cpu=2.0) for side in ("product", "naive", "copying")}
    found = {goal.number: goal.is_met for goal in goals.judged({"S": {**sides, "floor": _run(1.0, 1.0)}})}
    assert found["P2"] is False
    assert found["P3"] is True


def test_the_table_has_a_line_for_each_stage_and_the_whole() -> None:
    sides = {side: _run(wall=2.0, cpu=2.0) for side in ("product", "naive", "floor")}
    lines = report.table(SIZE, sides).splitlines()
    assert [line.split("  ")[0].strip() for line in lines[3:-3]] == [*STAGES, "whole"]


def _run(wall: float, cpu: float) -> Run:
    stages = {stage: {"wall": wall, "cpu": cpu} for stage in (*STAGES, "cp", "zip", "sha256")}
    counts = {"objects": 18, "bytes": 1, "deflated_again": 0}
    return {
        "wall": wall,
        "cpu": cpu,
        "peak_pss": 1,
        "max_rss": 1,
        "runs": 1,
        "counts": counts,
        "stages": stages,
    }


@needs_7z
@needs_java
def test_others_open_an_archive_of_everything(tiny: Project, tmp_path: Path, bell: object) -> None:
    counts = everything.export(tiny, tmp_path).counts
    counts |= judges.export(tiny, tmp_path).counts
    assert list(large.faults(SIZE, counts)) == []
    assert list(large.faults(SIZE, counts | {"java_entries": 1})) != []
