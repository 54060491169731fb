"""The product: `build.run` on a real project, from the claim to the published file, with a stopwatch in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection

from bench.outcome import Outcome, counts_of
from bench.sizes import OPTIONS
from bench.stopwatch import Stopwatch, stage_of
from exports import admission, build, files, snapshot, worker
from exports.archive.dataset import Dataset, Image
from exports.archive.formats import Format, Writer, tables
from exports.archive.measure import measurements_of
from exports.archive.zipping import Archive, Entry
from exports.models import ExportJob
from imagefiles import display
from projects.models import Project

_WRITERS = {
    "images/originals": "originals",
    "images/overlays": "overlays",
    "annotations/coco": "coco",
    "annotations/json": "json",
    "metrics/excel": "xlsx",
    "metrics/csv": "csv",
    "metrics/json": "metrics json",
}


def export(project: Project, folder: Path) -> Outcome:
    """Build one export as a worker does, its libraries loaded beforehand; nothing stays on disk."""
    worker.preload()
    job, _ = admission.start(project.owner, project.pk, OPTIONS)
    seen: Counter[str] = Counter()
    watch = Stopwatch()
    with _watched(watch, seen):
        build.run(job.pk)
    stages = watch.stop()
    name = ExportJob.objects.get(pk=job.pk).file_name or ""
    counts = counts_of(settings.EXPORT_ROOT / "published" / name) | seen
    files.remove_published(name)
    return Outcome(stages, counts)


@contextmanager
def _watched(watch: Stopwatch, seen: Counter[str]) -> Iterator[None]:
    """Stages around the product's own functions, and a count of decodes and queries."""
    made, added = Format.writer, Archive.add

    def writer(part: Format, dataset: Dataset) -> Writer:
        return _Timed(made(part, dataset), watch, _WRITERS[part.key])

    def add(archive: Archive, entry: Entry) -> Any:
        with watch.stage(stage_of(entry.path)):
            return added(archive, entry)

    def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
        seen["queries"] += 1
        return execute(*arguments)

    def decoded(*arguments: Any, **named: Any) -> Any:
        seen["decodes"] += 1
        with watch.stage("decode"):
            return shown(*arguments, **named)

    shown = display.for_display
    with ExitStack() as stack:
        stack.enter_context(patch.object(Format, "writer", writer))
        stack.enter_context(patch.object(Archive, "add", add))
        stack.enter_context(patch.object(display, "for_display", decoded))
        stack.enter_context(patch.object(snapshot, "read", _timed_read(watch)))
        stack.enter_context(
            patch.object(tables, "measurements_of", _timed(measurements_of, watch, "measures"))
        )
        stack.enter_context(patch.object(files, "publish", _timed(files.publish, watch, "publish")))
        stack.enter_context(connection.execute_wrapper(counted))
        yield


class _Timed:
    """A writer whose work is charged to its stage."""

    def __init__(self, writer: Writer, watch: Stopwatch, stage: str) -> None:
        self._writer, self._watch, self._stage = writer, watch, stage

    def add(self, image: Image) -> Iterator[Entry]:
        with self._watch.stage(self._stage):
            entries = self._writer.add(image)
        return self._watch.each(self._stage, entries)

    def finish(self) -> Iterator[Entry]:
        return self._watch.each(self._stage, self._writer.finish())


def _timed(function: Callable[..., Any], watch: Stopwatch, stage: str) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        with watch.stage(stage):
            return function(*arguments, **named)

    return called


def _timed_read(watch: Stopwatch) -> Callable[..., Any]:
    read = snapshot.read

    def called(*arguments: Any) -> tuple[Dataset, Iterable[Any]]:
        with watch.stage("rows"):
            dataset, items = read(*arguments)
        return dataset, watch.each("rows", items)

    return called
