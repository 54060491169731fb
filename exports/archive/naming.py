"""Names for files in the archive: safe on every system, and unique when case is ignored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 180
MAX_BYTES = 240
"""Of UTF-8: common file systems end at 255, and files made from an image add to its stem."""

SHORT_ID = 8

# Windows refuses these, alone or before a dot, however they are written.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])[ ]*(\.|$)", re.IGNORECASE)
_ENDING = re.compile(r"\.[^\W_]{1,16}\Z")
_RUN = ("-", "~", "=", "+", "@")
"""What a shell takes for an option or a home, and a spreadsheet for a formula, where a name begins with it.

`names.csv` therefore holds every name as it is.
"""

_FORBIDDEN = frozenset('/\\:*?"<>|')
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: control, format (text direction among them), surrogates, line breaks."""


@dataclass(frozen=True)
class Name:
    name: str
    stem: str
    """`name` without its ending; unique among the stems."""


class Names:
    """Gives out names in the order in which it is asked: the same order, the same names.

    Keeps one stem an image (about 100 bytes): a collision may lie as far apart as the project is long.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def add(self, image_id: str, original_name: str) -> Name:
        """A name that no image before it has; the start of its id is appended where that is needed."""
        stem, ending = _split(safe_name(original_name))
        for suffix in _suffixes(image_id):
            candidate = _shortened(stem, suffix + ending) + suffix
            if _key(candidate) not in self._taken:
                break
        self._taken.add(_key(candidate))
        return Name(candidate + ending, candidate)


def safe_name(original_name: str) -> str:
    """The name as it may stand in a path: one component, never empty, NFC; the ending is kept."""
    composed = unicodedata.normalize("NFC", original_name)
    cleaned = "".join("_" if _is_unsafe(character) else character for character in composed)
    stem, ending = _split(re.sub(r"\.{2,}", ".", cleaned).rstrip(". "))
    stem = stem.lstrip(". ") or "image"
    if _DEVICE.match(stem) or stem.lstrip("'").startswith(_RUN):
        stem = f"_{stem}"
    return _shortened(stem, ending) + ending


def _is_unsafe(character: str) -> bool:
    return character in _FORBIDDEN or unicodedata.category(character) in _INVISIBLE


def _split(name: str) -> tuple[str, str]:
    """Stem and ending, its dot included; the ending may be empty."""
    found = _ENDING.search(name)
    if found is None:
        return name, ""
    return name[: found.start()].rstrip(". "), found[0]


def _shortened(stem: str, rest: str) -> str:
    """As much of the stem as leaves room for what follows it."""
    fitting = stem[: MAX_CHARACTERS - len(rest)]
    while len(fitting.encode()) + len(rest.encode()) > MAX_BYTES:
        fitting = fitting[:-1]
    return fitting.rstrip(". ")


def _suffixes(image_id: str) -> Iterator[str]:
    """Nothing, then the start of the id, then all of it, then numbers: these end only with a name found."""
    letters = re.sub(r"[^0-9A-Za-z]", "", image_id)[:32]
    yield from ("", f"_{letters[:SHORT_ID]}", f"_{letters}")
    number = 2
    while True:
        yield f"_{letters}_{number}"
        number += 1


def _key(stem: str) -> str:
    """Equal for stems that some file system takes for the same.

    Canonical caseless matching (Unicode, D145), and beyond it letters that share their capital: some systems
    compare capitals, for which "ı" is "i" and "ſ" is "s".
    """
    decomposed = unicodedata.normalize("NFD", stem)
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", decomposed.upper()).casefold())
