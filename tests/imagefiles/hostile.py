"""Files that were made to harm who opens them: small ones that ask for much, and endless ones."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator
from functools import cache

import imagecodecs
import numpy as np
from isal import isal_zlib

from tests.imagefiles.pictures import COLOUR, GREY, by_pillow, by_tifffile, tiff_of

MUCH = 200_000_000
"""Bytes that a bomb would fill."""


def bombs() -> Iterator[tuple[str, bytes]]:
    """Each with its name. All say that they are pictures; none may cost much memory or time."""
    yield from _png_bombs()
    yield from _jpeg_bombs()
    yield from _tiff_bombs()
    bmp = by_pillow("BMP")
    yield "bmp of a billion pixels", bmp[:18] + struct.pack("<ii", 30_000, 30_000) + bmp[26:]


def harmless() -> Iterator[tuple[str, bytes]]:
    """Odd files whose picture can be shown all the same."""
    yield "png with a comment that expands", _png_with(b"zTXt", b"Comment\0\0" + _zeros())
    yield "png with a profile that expands", _png_with(b"iCCP", b"profile\0\0" + _zeros())
    yield "strip of lzma that expands", _tiff_around(34_925, lzma.compress(bytes(MUCH // 4), preset=0))
    yield "strip of lzw that expands", _tiff_around(5, imagecodecs.lzw_encode(bytes(MUCH // 8)))
    for tag in (258, 279):
        yield (
            f"tiff that counts tag {tag} in billions",
            _with_count(by_tifffile(COLOUR, photometric="rgb"), tag),
        )
    yield "tiff whose pages go in a circle", _going_in_a_circle(by_tifffile(COLOUR, photometric="rgb"))
    yield (
        "tiff of five thousand pages",
        by_tifffile(np.zeros((5000, 48, 64), np.uint8), photometric="minisblack", metadata=None),
    )


def disguised() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "text", b"x,y\n1,2\n" * 100
    yield "svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield "html", b"<!doctype html><script>alert(1)</script>"
    yield "shell", b"#!/bin/sh\ntouch /tmp/owned\n"
    yield "python", b"import os; os.system('touch /tmp/owned')"
    yield "pickle", b"\x80\x04\x95cos\nsystem\n(S'touch /tmp/owned'\ntR."
    yield "gif", by_pillow("GIF", "P")
    yield "webp", by_pillow("WEBP")
    yield "zip", b"PK\5\6" + bytes(18)
    yield "bitmap by its first two letters", b"BM" + b"W is a car" * 9


def _png_bombs() -> Iterator[tuple[str, bytes]]:
    png = by_pillow("PNG")
    yield "png of a billion pixels", _png(30_000, 30_000, png[33:])
    yield "png of a billion zeros", _png(30_000, 30_000, _chunk(b"IDAT", _zeros()) + _chunk(b"IEND", b""))
    yield "png that goes on and on", _png(64, 48, _chunk(b"IDAT", _zeros())[:-4] + bytes(4))
    yield (
        "png whose chunk is as long as can be",
        png[:33] + struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + bytes(99),
    )


def _jpeg_bombs() -> Iterator[tuple[str, bytes]]:
    yield "jpeg of a billion pixels", _jpeg_of(by_pillow("JPEG"), 32_000)
    progressive = by_pillow("JPEG", progressive=True)
    yield "progressive jpeg of a billion pixels", _jpeg_of(progressive, 32_000)
    first, _, last = progressive.rpartition(b"\xff\xda")
    yield "jpeg of many scans", _jpeg_of(first + (b"\xff\xda" + last[:-2]) * 20_000 + last[-2:], 4_000)


def _tiff_bombs() -> Iterator[tuple[str, bytes]]:
    yield from ((f"strip of {name}", _tiff_around(code, strip)) for name, code, strip in _strips())
    empty = by_tifffile(GREY, compression="zlib")
    yield "tiff of a billion pixels", _with_tag(_with_tag(empty, 256, 30_000), 257, 30_000)
    yield "tiff of a billion channels", _with_tag(empty, 277, 60_000)
    yield "tiff with one enormous tile", _tiff_in_a_tile(14_000)
    yield "tiff whose strips are counted in billions", _with_count(by_tifffile(GREY), 273)
    yield "tiff in a million pieces", _tiff_in_pieces(1_000_000)


def _strips() -> Iterator[tuple[str, int, bytes]]:
    yield "deflate", 8, _zeros()
    yield "zstandard", 50_000, imagecodecs.zstd_encode(bytes(MUCH))
    yield "jpeg", 7, _jpeg_of(by_pillow("JPEG", "L"), 60_000)
    yield "png", 34_933, _png(30_000, 30_000, by_pillow("PNG", "L")[33:])
    code_stream = imagecodecs.jpeg2k_encode(GREY, codecformat="j2k")
    yield "jpeg 2000", 34_712, code_stream[:8] + struct.pack(">II", 60_000, 60_000) + code_stream[16:]
    webp = imagecodecs.webp_encode(COLOUR, lossless=True)
    yield "webp", 50_001, webp[:21] + struct.pack("<I", 15_999 | 15_999 << 14) + webp[25:]


@cache
def _zeros() -> bytes:
    return isal_zlib.compress(bytes(MUCH), 3)


def _png(width: int, height: int, rest: bytes) -> bytes:
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + rest


def _png_with(kind: bytes, content: bytes) -> bytes:
    png = by_pillow("PNG")
    return png[:33] + _chunk(kind, content) + png[33:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _jpeg_of(jpeg: bytes, side: int) -> bytes:
    """Whose frame says that it is a square of `side`."""
    frame = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    return jpeg[: frame + 5] + struct.pack(">HH", side, side) + jpeg[frame + 9 :]


def _tiff_around(compression: int, strip: bytes) -> bytes:
    return tiff_of({258: (8,), 259: (compression,), 262: (1,), 277: (1,)}, strip)


def _tiff_in_a_tile(side: int) -> bytes:
    """Of which the image is a corner; what is in it expands to all of it."""
    tile = _zeros()
    tags = {
        258: (8,),
        259: (8,),
        262: (1,),
        277: (1,),
        322: (side,),
        323: (side,),
        324: (8,),
        325: (len(tile),),
    }
    return tiff_of(tags, tile)


def _tiff_in_pieces(count: int) -> bytes:
    strip = zlib.compress(bytes(64))
    many = {273: (8,) * count, 279: (len(strip),) * count, 257: (count,), 278: (1,)}
    return tiff_of({258: (8,), 259: (8,), 262: (1,), 277: (1,)} | many, strip)


def _with_tag(tiff: bytes, tag: int, value: int) -> bytes:
    place = _place_of(tiff, tag)
    return tiff[: place + 2] + struct.pack("<HII", 4, 1, value) + tiff[place + 12 :]


def _with_count(tiff: bytes, tag: int) -> bytes:
    place = _place_of(tiff, tag)
    return tiff[: place + 4] + struct.pack("<I", 0xFFFFFFFF) + tiff[place + 8 :]


def _place_of(tiff: bytes, tag: int) -> int:
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    places = range(start + 2, start + 2 + 12 * count, 12)
    return next(place for place in places if struct.unpack_from("<H", tiff, place)[0] == tag)


def _going_in_a_circle(tiff: bytes) -> bytes:
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    end = start + 2 + 12 * count
    return tiff[:end] + struct.pack("<I", start) + tiff[end + 4 :]
