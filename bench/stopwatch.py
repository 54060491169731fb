"""Time by stage: what an inner stage takes is not counted in the outer one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

REST = "rest"

STAGES = (
    "rows",
    "originals",
    "decode",
    "overlays",
    "coco",
    "json",
    "measures",
    "xlsx",
    "csv",
    "metrics json",
    "guide",
    "publish",
    REST,
)
"""In the order of the table; REST is everything between them."""

_FOLDERS = {
    "images/": "originals",
    "visualizations/": "overlays",
    "annotations/coco/": "coco",
    "annotations/json/": "json",
    "metrics/metrics.xlsx": "xlsx",
    "metrics/metrics.csv": "csv",
    "metrics/metrics.json": "metrics json",
}


def stage_of(path: str) -> str:
    """The stage that an entry of an archive belongs to."""
    return next((stage for start, stage in _FOLDERS.items() if path.startswith(start)), "guide")


@dataclass
class Spent:
    wall: float = 0.0
    """Seconds."""
    cpu: float = 0.0
    """Seconds of all threads of the process."""


class Stopwatch:
    def __init__(self) -> None:
        self.stages: dict[str, Spent] = {}
        self._open: list[str] = [REST]
        self._mark = _now()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._charge()
        self._open.append(name)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def each(self, name: str, items: Iterator[T]) -> Iterator[T]:
        """The items, the time to get each of them charged to `name`."""
        while True:
            with self.stage(name):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    def stop(self) -> dict[str, Spent]:
        self._charge()
        return self.stages

    def _charge(self) -> None:
        wall, cpu = _now()
        spent = self.stages.setdefault(self._open[-1], Spent())
        spent.wall += wall - self._mark[0]
        spent.cpu += cpu - self._mark[1]
        self._mark = wall, cpu


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
