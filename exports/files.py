"""Where archives lie: staging while they are built, one final name for each attempt.

A file is published before the commit that names it, and deleted after the commit that forgets it; so a
file without a row is garbage, and a row never names a file that is not whole. Names hold the job's id and
the attempt: two attempts can never write the same file.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings

from exports import crashpoints
from exports.messages import PublishedFile

CHUNK = 1 << 20  # bytes read, hashed or sent at once
_NAME = re.compile(r"(?P<job>[0-9a-f-]{36})-(?P<attempt>\d+)(\.zip)?")


@dataclass(frozen=True)
class Staging:
    """A folder of one attempt: the growing archive and the spools beside it."""

    folder: Path
    job_id: UUID
    attempt: int

    @property
    def archive(self) -> Path:
        return self.folder / "archive.zip.part"


def free_bytes() -> int:
    """Bytes that archives may still take on this disk."""
    return shutil.disk_usage(_made(settings.EXPORT_ROOT)).free


@contextmanager
def staging(job_id: UUID, attempt: int) -> Iterator[Staging]:
    """A fresh folder, removed at the end whatever happens."""
    folder = _staging_root() / f"{job_id}-{attempt}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield Staging(folder, job_id, attempt)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(staged: Staging, checkpoint: Callable[[], None]) -> PublishedFile:
    """Flush the archive to disk, hash it, and put it at its final name.

    `checkpoint` is called between chunks; what it raises leaves nothing published.
    """
    with staged.archive.open("rb") as archive:
        sha256 = _hash(archive, checkpoint)
        os.fsync(archive.fileno())
        crashpoints.reach("archive.flushed")
        size = os.fstat(archive.fileno()).st_size
    final = _path(f"{staged.job_id}-{staged.attempt}.zip")
    os.replace(staged.archive, final)
    crashpoints.reach("archive.named")
    _flush_folder(final.parent)
    crashpoints.reach("archive.published")
    return PublishedFile(final.name, size, sha256)


def open_published(name: str) -> BinaryIO:
    """Raise FileNotFoundError when it is gone."""
    return _path(name).open("rb")


async def stream(file: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
    """`length` bytes from `start`, read in a thread, the file closed at the end. Raise OSError when it has fewer."""
    try:
        file.seek(start)
        while length > 0:
            chunk = await sync_to_async(file.read, thread_sensitive=False)(min(CHUNK, length))
            if not chunk:
                raise OSError("The file is shorter than it was.")
            length -= len(chunk)
            yield chunk
    finally:
        file.close()


def remove_job(job_id: UUID) -> int:
    """Remove everything of a job, staged and published; the number of bytes freed."""
    return sum(remove(path) for path in of_job(job_id))


def of_job(job_id: UUID) -> list[Path]:
    """Everything of a job, staged and published."""
    return [path for root in _roots() for path in root.glob(f"{job_id}-*")]


def remove_published(name: str) -> int:
    """Remove one archive that no row came to name."""
    return remove(_path(name))


def present() -> Iterator[tuple[UUID, int, Path]]:
    """Job, attempt and path of everything on disk that has the name of an archive or of its staging."""
    for path in _all_paths():
        match = _NAME.fullmatch(path.name)
        if match:
            yield UUID(match["job"]), int(match["attempt"]), path


def remove(path: Path) -> int:
    """Remove a file or folder; the bytes freed, 0 when it is gone already."""
    try:
        if path.is_dir():
            freed = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
            shutil.rmtree(path, ignore_errors=True)
            return freed
        freed = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return freed


def _hash(archive: BinaryIO, checkpoint: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    while chunk := archive.read(CHUNK):
        digest.update(chunk)
        checkpoint()
    return digest.hexdigest()


def _path(name: str) -> Path:
    return _made(settings.EXPORT_ROOT / "published") / Path(name).name


def _staging_root() -> Path:
    return _made(settings.EXPORT_ROOT / "staging")


def _all_paths() -> list[Path]:
    return [path for root in _roots() for path in root.iterdir()]


def _roots() -> tuple[Path, Path]:
    return _staging_root(), _made(settings.EXPORT_ROOT / "published")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
