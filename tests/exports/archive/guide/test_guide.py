from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from exports.archive.dataset import Objects
from exports.archive.formats import ANNOTATIONS
from exports.archive.guide import features_of
from tests.exports.archive.builders import objects_of, square
from tests.exports.archive.guide.contents import contents_of


def test_holes_parts_and_scores_are_counted() -> None:
    objects = objects_of(
        [[square(0, 0, 9), square(1, 1, 1), square(3, 3, 1)], [square(20, 0, 9)]],
        [[square(40, 0, 9), square(41, 1, 1)]],
        scores=[0.5, np.nan],
    )
    assert features_of(objects) == {"holes": 3, "parts": 1, "scores": 1}


def test_an_image_without_objects_has_no_features() -> None:
    assert not any(features_of(Objects.none()).values())


def test_only_what_a_format_cannot_hold_and_what_was_there_is_lost(tmp_path: Path) -> None:
    flat = replace(ANNOTATIONS[0], losses=("holes", "scores", "overlaps"))
    contents = contents_of(tmp_path, features={"holes": 37, "parts": 2, "scores": 0})
    assert contents.lost(flat) == {"holes": 37}
