"""Outlines of every kind for Hypothesis: what people draw, what programs export, and what should never be."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from exports.archive.dataset import Points

WIDTH, HEIGHT = 160, 120
Parts = list[list[Points]]

places = st.floats(-60, 220, allow_subnormal=False)
radii = st.floats(9, 50)
shares = st.floats(0.05, 0.45)
FAR = st.sampled_from([1e2, 1e4])


def blob(x: float, y: float, radius: float, dent: float = 0.2, corners: int = 40) -> Points:
    """Five lobes: concave, and never touches itself."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = radius * (1 + dent * np.sin(5 * angles))
    return np.column_stack([x + reach * np.cos(angles), y + reach * np.sin(angles)])


def _with_hole(x: float, y: float, radius: float, share: float) -> Parts:
    return [[blob(x, y, radius), blob(x, y, radius * share, 0.1)[::-1]]]


def _hole_at_the_rim(x: float, y: float, radius: float, share: float) -> Parts:
    outer = blob(x, y, radius)
    return [[outer, np.array([outer[4], outer[4] * (1 - share) + (x, y) * np.array(share), (x, y)])]]


def _sliver(x: float, y: float, radius: float, share: float) -> Parts:
    return [[np.array([(x, y), (x + radius, y + share), (x + radius, y + share + 1e-7)])]]


def _bow_tie(x: float, y: float, radius: float, share: float) -> Parts:
    return [[np.array([(x, y), (x + radius, y + radius), (x + radius, y), (x, y + radius * share)])]]


def _touches_itself(x: float, y: float, radius: float, share: float) -> Parts:
    left, right = np.array([(-1, -1), (-1, 1), (0, 0)]), np.array([(1, 1), (1, -1), (0, 0)])
    return [[np.concatenate([left, right]) * radius + (x, y)]]


def _points_twice(x: float, y: float, radius: float, share: float) -> Parts:
    return [[np.repeat(blob(x, y, radius), 2, axis=0)]]


def _one_place(x: float, y: float, radius: float, share: float) -> Parts:
    return [[np.full((3, 2), x)]]


def _line(x: float, y: float, radius: float, share: float) -> Parts:
    return [[np.array([(x, y), (x + radius, y + radius), (x + radius / 2, y + radius / 2)])]]


def _spike(x: float, y: float, radius: float, share: float) -> Parts:
    corners = [(0, 0), (1, 0), (1, 1), (1, 3), (1, 1), (0, 1)]
    return [[np.array(corners) * radius + (x, y)]]


def _same_hole(x: float, y: float, radius: float, share: float) -> Parts:
    return [[blob(x, y, radius), blob(x, y, radius)]]


def _hole_elsewhere(x: float, y: float, radius: float, share: float) -> Parts:
    return [[blob(x, y, radius), blob(x + 3 * radius, y, radius)]]


def _overlapping_parts(x: float, y: float, radius: float, share: float) -> Parts:
    return [[blob(x, y, radius)], [blob(x + radius * share, y, radius)]]


def _two_parts(x: float, y: float, radius: float, share: float) -> Parts:
    return [[blob(x, y, radius)], *_with_hole(x + 3 * radius, y, radius, share)]


SOUND = (lambda x, y, radius, share: [[blob(x, y, radius)]], _with_hole, _two_parts, _points_twice)
UNSOUND = (
    _hole_at_the_rim,
    _sliver,
    _bow_tie,
    _touches_itself,
    _one_place,
    _line,
    _spike,
    _same_hole,
    _hole_elsewhere,
    _overlapping_parts,
)


def _drawn(kinds: st.SearchStrategy[object]) -> st.SearchStrategy[Parts]:
    return st.builds(lambda kind, *where: kind(*where), kinds, places, places, radii, shares)  # type: ignore[operator]


sound = _drawn(st.sampled_from(SOUND))
"""Valid by the rules of every reader."""
far_away = st.builds(
    lambda parts, far: [[ring * far for ring in part] for part in parts],
    _drawn(st.sampled_from((*SOUND, *UNSOUND))),
    FAR,
)
anything = st.one_of(sound, _drawn(st.sampled_from(UNSOUND)), far_away)
