"""The records of a ZIP file as PKWARE's APPNOTE 6.3.10 lays them out, with ZIP64 where asked for."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

STORED, DEFLATED = 0, 8

FULL_32, FULL_16 = 0xFFFF_FFFF, 0xFFFF
"""What a field holds whose value stands in the ZIP64 record."""

_UTF8 = 0x0800
_MADE_BY_UNIX = 3 << 8 | 45
_MODE = 0o100644 << 16


@dataclass(slots=True)
class Header:
    """What an entry's local header and its line in the central directory say."""

    path: bytes
    method: int
    offset: int
    is_zip64: bool
    time: tuple[int, int]
    crc: int = 0
    size: int = 0
    compressed_size: int = 0

    def local(self) -> bytes:
        sizes = (self.compressed_size, self.size)
        extra = b""
        if self.is_zip64:
            extra, sizes = struct.pack("<HHQQ", 1, 16, self.size, self.compressed_size), (FULL_32, FULL_32)
        fixed = (self._version(), _UTF8, self.method, *self.time, self.crc, *sizes)
        lengths = (len(self.path), len(extra))
        return struct.pack("<4s5H3L2H", b"PK\3\4", *fixed, *lengths) + self.path + extra

    def central(self) -> bytes:
        sizes, offset, extra = (self.compressed_size, self.size), self.offset, b""
        if self.is_zip64:
            extra = struct.pack("<HHQQQ", 1, 24, self.size, self.compressed_size, self.offset)
            sizes, offset = (FULL_32, FULL_32), FULL_32
        fixed = (_MADE_BY_UNIX, self._version(), _UTF8, self.method, *self.time, self.crc, *sizes)
        rest = (len(self.path), len(extra), 0, 0, 0, _MODE, offset)
        return struct.pack("<4s6H3L5H2L", b"PK\1\2", *fixed, *rest) + self.path + extra

    def _version(self) -> int:
        return 45 if self.is_zip64 else 20


def end_records(start: int, length: int, count: int, *, is_zip64: bool) -> bytes:
    """What follows a central directory of `count` lines and `length` bytes that begins at `start`."""
    zip64 = b""
    if is_zip64:
        sizes = (count, count, length, start)
        zip64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, _MADE_BY_UNIX, 45, 0, 0, *sizes)
        zip64 += struct.pack("<4sLQL", b"PK\6\7", 0, start + length, 1)
        start, length, count = FULL_32, FULL_32, FULL_16
    return zip64 + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, 0)


def dos_time(moment: datetime) -> tuple[int, int]:
    """Time and date as ZIP has them: two-second steps, 1980 to 2107. UTC, to be the same everywhere."""
    moment = moment.astimezone(UTC)
    if not 1980 <= moment.year <= 2107:
        moment = datetime(min(max(moment.year, 1980), 2107), 1, 1, tzinfo=UTC)
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, moment.year - 1980 << 9 | moment.month << 5 | moment.day
