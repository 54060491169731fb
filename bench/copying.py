"""Images into a ZIP beside copying them, and beside the SHA-256 that the archive promises of each."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.outcome import Outcome
from bench.stopwatch import Spent, Stopwatch
from exports.archive.zipping import Archive, Entry
from projects.models import Project

TURNS = 5


def export(project: Project, folder: Path) -> Outcome:
    """By turns in one process, the page cache warm; the median of each."""
    sources = [Path(image.file.path) for image in project.images.all()]
    ways: dict[str, Callable[[list[Path], Path], None]] = {"cp": _copy, "zip": _zip, "sha256": _hash}
    taken: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(TURNS + 1):
        for name, way in ways.items():
            target = folder / name
            target.mkdir()
            watch = Stopwatch()
            way(sources, target)
            taken[name] += watch.stop().values()
            shutil.rmtree(target)
    stages = {
        name: Spent(median(each.wall for each in spent[1:]), median(each.cpu for each in spent[1:]))
        for name, spent in taken.items()
    }
    return Outcome(stages, {"bytes": sum(source.stat().st_size for source in sources)})


def _copy(sources: list[Path], target: Path) -> None:
    for source in sources:
        shutil.copyfile(source, target / source.name)


def _zip(sources: list[Path], target: Path) -> None:
    with (target / "images.zip").open("w+b") as file:
        archive = Archive(file, datetime(2026, 1, 1, tzinfo=UTC), lambda: None)
        for source in sources:
            archive.add(Entry(f"images/{source.name}", source))
        archive.close()


def _hash(sources: list[Path], target: Path) -> None:
    for source in sources:
        hashlib.sha256(source.read_bytes())
