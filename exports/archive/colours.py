"""Colours of classes, told apart by the colour-blind: M. Okabe, K. Ito, "Color Universal Design", 2008."""

from __future__ import annotations

_COLOURS = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
)


def class_colour(index: int) -> tuple[int, int, int]:
    """Red, green and blue of the class with this index; after seven classes they begin again."""
    return _COLOURS[index % len(_COLOURS)]
