"""Sides by turns, a fresh process for each run, and the median of what they cost."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from bench.place import Place
from bench.sizes import Size

SIDES = ("product", "naive", "floor")
PATIENCE_SECONDS = 60.0
"""A side whose first run takes longer is not run again."""

Run = dict[str, Any]
"""As `Outcome.as_json`, with `peak_pss`."""


def measured(place: Place, size: Size, repeat: int, say: Callable[[str], None]) -> dict[str, Run]:
    """The median run of each side, and `copying`, which takes turns by itself."""
    say(f"{size.name}: storing {size.images:,} images")
    place.make(size)
    taken: dict[str, list[Run]] = {side: [] for side in SIDES}
    for turn in range(1, repeat + 1):
        for side, runs in taken.items():
            if not runs or runs[0]["wall"] < PATIENCE_SECONDS:
                runs.append(place.measure(side, size))
                say(f"{size.name}: {side}, turn {turn} of {repeat}: {runs[-1]['wall']:.1f} s")
    say(f"{size.name}: copying")
    taken["copying"] = [place.measure("copying", size)]
    return {side: median_of(runs) for side, runs in taken.items()}


def median_of(runs: list[Run]) -> Run:
    """Each number the median of its own; counts are equal in all runs."""
    sums = {name: median(run[name] for run in runs) for name in ("wall", "cpu", "peak_pss", "max_rss")}
    return {
        **sums,
        "runs": len(runs),
        "counts": runs[0]["counts"],
        "stages": {
            stage: {cost: median(run["stages"][stage][cost] for run in runs) for cost in ("wall", "cpu")}
            for stage in runs[0]["stages"]
        },
    }
