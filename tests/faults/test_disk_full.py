"""The disk of the archives is full: an export fails with its sentence, leaves nothing, and the next one works."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from exports import build, cleaning, files
from exports.models import ExportJob
from tests.faults import exporting
from tests.faults.exporting import PROJECTS, Export, ask_to_start, start
from tests.stack import Stack, can_mount, stack

DISK_MEGABYTES = 200
PAGE, MEGABYTE = 4096, 1 << 20
SENTENCE = "The disk is full. Try again later, or select fewer images."
TABLES = {"includeOriginalImages": False, "includeVisualizations": False}


@pytest.fixture(scope="module")
def hub() -> Iterator[Stack]:
    if not can_mount():
        pytest.skip("a small file system for the archives can only be mounted by root")
    many = {"EXPORT_MAX_ACTIVE_PER_USER": "50"}
    with stack(workers=1, environment=many, projects=PROJECTS, export_megabytes=DISK_MEGABYTES) as started:
        yield started


def test_an_export_whose_disk_fills_up_midway_fails_and_leaves_nothing(hub: Stack) -> None:
    export = start(hub, "big")
    export.wait_until_under_way()
    with full_disk(hub, leaving=0):
        export.wait_until("failed")

        assert reason(export) == ("insufficient_storage", SENTENCE, True)
        assert exporting.files(hub) == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(TABLES, id="tables"),
        pytest.param({**TABLES, "annotationFormats": []}, id="spreadsheet", marks=pytest.mark.long),
        pytest.param({"metricsFormats": []}, id="images", marks=pytest.mark.long),
    ],
)
def test_however_little_space_is_left_an_export_is_whole_or_fails_for_want_of_it(
    hub: Stack, options: dict[str, object]
) -> None:
    outcomes = []
    for pages in (*range(0, 40, 5), 256):
        export = started_with(hub, pages * PAGE, options)
        outcomes.append(export.status)
        assert reason(export)[0] == (None if export.status == "completed" else "insufficient_storage")
        assert export.status == "failed" or export.is_whole()

    assert (outcomes[0], outcomes[-1]) == ("failed", "completed")


def test_a_request_is_refused_while_the_disk_is_full_and_accepted_afterwards(hub: Stack) -> None:
    with full_disk(hub, leaving=0):
        refused = ask_to_start(hub)
    assert (refused.status, refused.json["code"]) == (507, "insufficient_storage")

    export = start(hub)
    export.wait_until("completed")
    assert export.is_whole()


@pytest.mark.parametrize(("call", "times"), [("fsync", 1), ("replace", 1), ("fsync", 2)])
def test_a_disk_that_is_full_at_publishing_leaves_no_file(
    job: ExportJob, monkeypatch: pytest.MonkeyPatch, call: str, times: int
) -> None:
    fail_at(monkeypatch, call, times)

    with pytest.raises(OSError, match="full"):
        build.run(job.pk)
    cleaning.clean(job.pk)

    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "insufficient_storage")
    assert list(files.present()) == []


def started_with(hub: Stack, free_bytes: int, options: dict[str, object]) -> Export:
    """An export of the small project that finds so much space when its work begins, when it has ended."""
    worker = hub.workers[0].process
    worker.send_signal(signal.SIGSTOP)
    export = start(hub, **options)
    with full_disk(hub, free_bytes):
        worker.send_signal(signal.SIGCONT)
        export.wait_until("completed", "failed")
    return export


@contextmanager
def full_disk(hub: Stack, leaving: int) -> Iterator[None]:
    folder = hub.data_dir / "exports"
    filler = folder / "filler"
    disk = os.statvfs(folder)
    size = disk.f_bavail * disk.f_frsize - leaving
    with filler.open("wb") as file, suppress(OSError):  # others write at the same time
        for start in range(0, size, MEGABYTE):
            os.posix_fallocate(file.fileno(), start, min(MEGABYTE, size - start))
    try:
        yield
    finally:
        filler.unlink()


def reason(export: Export) -> tuple[str | None, str | None, bool | None]:
    return tuple(export.column(name) for name in ("error_code", "error", "retryable"))


def fail_at(monkeypatch: pytest.MonkeyPatch, call: str, times: int) -> None:
    """Have the n-th such call of the operating system say that the disk is full."""
    real, calls = getattr(os, call), iter(range(1, 100))

    def failing(*arguments: object) -> object:
        if next(calls) == times:
            raise OSError(errno.ENOSPC, "The disk is full")
        return real(*arguments)

    monkeypatch.setattr(files.os, call, failing)
