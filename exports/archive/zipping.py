"""ZIP files written in one pass: sizes and CRC stand in front of each entry, nothing is staged.

No data descriptors, because Java's streaming readers (ImageJ among them)
refuse stored entries that have one: the local header is patched once the entry is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol

from isal import isal_zlib

from exports.archive.zip_records import DEFLATED, FULL_16, STORED, Header, dos_time, end_records

CHUNK = 1 << 20
ZIP64_FROM = 0xF000_0000
"""Bytes: below 4 GiB, because the header is chosen before it is known how far deflating may grow a file."""

ALREADY_COMPRESSED = frozenset({".png", ".jpg", ".jpeg", ".xlsx", ".zip", ".parquet", ".gz"})
SOMETIMES_COMPRESSED = frozenset({".tif", ".tiff", ".npy", ".bmp"})
"""Stored when deflating their first chunk saves less than a tenth of it."""


class UnreadableFile(Exception):
    """The source of an entry cannot be read; the archive is as it was before. Its sentence holds no path."""


class ChangedFile(UnreadableFile):
    """The source of an entry is not the file that was announced."""


class Spool:
    """A file that grows while the images pass: deflated as it is written, so that it costs little disk."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self.crc = 0
        self.compressed_size = 0
        self._digest = hashlib.sha256()
        self._deflater = _deflater()
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the spool

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.crc = isal_zlib.crc32(chunk, self.crc)
        self._digest.update(chunk)
        self._keep(self._deflater.compress(chunk))

    def finish(self) -> Iterator[bytes]:
        """The deflated content in chunks, its end included. Once only; nothing can be written afterwards."""
        self._keep(self._deflater.flush())
        self._file.seek(0)
        return iter(lambda: self._file.read(CHUNK), b"")

    def sha256(self) -> str:
        """Of the plain content."""
        return self._digest.hexdigest()

    def close(self) -> None:
        self._file.close()

    def _keep(self, deflated: bytes) -> None:
        self.compressed_size += len(deflated)
        self._file.write(deflated)


@dataclass(frozen=True)
class Entry:
    path: str
    content: bytes | Path | Spool
    sha256: str | None = None
    """Of the plain content, where it is known beforehand: another one is refused with ChangedFile."""


@dataclass(frozen=True, slots=True)
class Written:
    path: str
    size: int
    """Bytes of the plain content."""
    sha256: str
    """Of the plain content, hexadecimal."""


class Archive:
    """A ZIP file under construction in a seekable file, in the order in which entries are added.

    `checkpoint` is called before every MiB that is written; what it raises passes through, and the
    entry under way is taken back.
    """

    def __init__(
        self,
        file: BinaryIO,
        changed_at: datetime,
        checkpoint: Callable[[], None],
        *,
        zip64_from: int = ZIP64_FROM,
    ) -> None:
        self._file = file
        self._time = dos_time(changed_at)
        self._checkpoint = checkpoint
        self._zip64_from = zip64_from
        self._position = file.tell()
        self._directory = bytearray()
        self._paths: set[str] = set()

    def add(self, entry: Entry) -> Written:
        """Append an entry whole or not at all.

        Raise UnreadableFile or ChangedFile for its source, OSError for the archive itself, ValueError for
        a path that is taken (ignoring case), absolute or leads out of the archive.
        """
        self._refuse_bad_path(entry.path)
        with ExitStack() as undo:
            undo.callback(self._return_to, self._position)
            header, sha256 = self._append(entry)
            undo.pop_all()
        self._position = self._file.tell()
        self._directory += header.central()
        self._paths.add(entry.path.casefold())
        return Written(entry.path, header.size, sha256)

    def close(self) -> None:
        """Write the central directory and flush; the file itself stays open."""
        start, length, count = self._position, len(self._directory), len(self._paths)
        is_zip64 = count >= FULL_16 or start + length >= self._zip64_from
        self._file.write(self._directory)
        self._file.write(end_records(start, length, count, is_zip64=is_zip64))
        self._file.flush()

    def _append(self, entry: Entry) -> tuple[Header, str]:
        if isinstance(entry.content, Spool):
            return self._append_spool(entry.path, entry.content)
        return self._append_plain(entry, entry.content)

    def _append_spool(self, path: str, spool: Spool) -> tuple[Header, str]:
        chunks = spool.finish()
        header = self._header(path, DEFLATED, spool.size)
        header.crc, header.size, header.compressed_size = spool.crc, spool.size, spool.compressed_size
        self._file.write(header.local())
        for chunk in chunks:
            self._checkpoint()
            self._file.write(chunk)
        spool.close()
        return header, spool.sha256()

    def _append_plain(self, entry: Entry, content: bytes | Path) -> tuple[Header, str]:
        size, chunks = _size(content), _chunks(content)
        first = next(chunks, b"")
        header = self._header(entry.path, _method(entry.path, first), size)
        self._file.write(header.local())
        sha256 = self._copy(chain([first], chunks), header)
        if header.size != size or sha256 != (entry.sha256 or sha256):
            raise ChangedFile("The stored file is not the one that was uploaded.")
        self._patch(header)
        return header, sha256

    def _copy(self, chunks: Iterable[bytes], header: Header) -> str:
        """Write the content, keeping CRC and sizes in `header`; return its SHA-256."""
        digest = hashlib.sha256()
        deflater = _deflater() if header.method == DEFLATED else _Storer()
        for chunk in chunks:
            self._checkpoint()
            digest.update(chunk)
            header.crc = isal_zlib.crc32(chunk, header.crc)
            header.size += len(chunk)
            header.compressed_size += self._file.write(deflater.compress(chunk))
        header.compressed_size += self._file.write(deflater.flush())
        return digest.hexdigest()

    def _header(self, path: str, method: int, size: int) -> Header:
        is_zip64 = max(size, self._position) >= self._zip64_from
        return Header(path.encode(), method, self._position, is_zip64, self._time)

    def _patch(self, header: Header) -> None:
        end = self._file.tell()
        self._file.seek(header.offset)
        self._file.write(header.local())
        self._file.seek(end)

    def _return_to(self, position: int) -> None:
        self._file.seek(position)
        self._file.truncate()

    def _refuse_bad_path(self, path: str) -> None:
        parts = PurePosixPath(path).parts
        is_plain = "/".join(parts) == path and not {"", ".", ".."}.intersection(parts)
        has_odd_letter = any(letter < " " or letter == "\\" for letter in path)
        if not path or not is_plain or has_odd_letter or len(path.encode()) > FULL_16:
            raise ValueError(f"not a path inside an archive: {path!r}")
        if path.casefold() in self._paths:
            raise ValueError(f"already in the archive: {path!r}")


class _Packer(Protocol):
    def compress(self, chunk: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Storer:
    """Takes the deflater's place where content is stored as it is."""

    def compress(self, chunk: bytes) -> bytes:
        return chunk

    def flush(self) -> bytes:
        return b""


def _size(content: bytes | Path) -> int:
    if isinstance(content, bytes):
        return len(content)
    try:
        return content.stat().st_size
    except OSError as error:
        raise UnreadableFile("The stored file cannot be found.") from error


def _chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield from (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))
        return
    try:
        with content.open("rb", buffering=0) as file:
            yield from iter(lambda: file.read(CHUNK), b"")
    except OSError as error:
        raise UnreadableFile("The stored file cannot be read.") from error


def _method(path: str, first: bytes) -> int:
    ending = PurePosixPath(path).suffix.lower()
    if ending in SOMETIMES_COMPRESSED:
        is_worth_it = len(isal_zlib.compress(first, 1)) < 0.9 * len(first)
        return DEFLATED if is_worth_it else STORED
    return STORED if ending in ALREADY_COMPRESSED else DEFLATED


def _deflater() -> _Packer:
    # Level 1 of ISA-L: 15 times faster than zlib's 6, files 8 to 11 % larger.
    return isal_zlib.compressobj(1, wbits=-isal_zlib.MAX_WBITS)
