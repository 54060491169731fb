"""The bare loop: only the library calls that nobody can leave out, each in its fastest known form.

Decode, draw, encode, copy, write numbers as text, deflate. It makes no archive, no numbers on the overlays,
no measurements, no checks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
from isal import isal_zlib

from bench.outcome import Outcome
from bench.stopwatch import Stopwatch
from exports.archive.columns import MEASURES
from projects.models import Project
from projects.outlines import Outlines

_SUBPIXEL_BITS = 4


def export(project: Project, folder: Path) -> Outcome:
    watch = Stopwatch()
    with (folder / "floor").open("wb") as file:
        for image in project.images.select_related("segmentation").iterator(50):
            with watch.stage("originals"):
                content = Path(image.file.path).read_bytes()
                file.write(content)
            with watch.stage("decode"):
                picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            if image.segmentation is None:
                continue
            outlines = image.segmentation.outlines
            with watch.stage("overlays"):
                _draw(picture, outlines)
                file.write(_encoded(picture))
            _write_text(file, outlines, watch)
    stages = watch.stop()
    (folder / "floor").unlink()
    return Outcome(stages)


def _draw(picture: Any, outlines: Outlines) -> None:
    scaled = np.rint((outlines.points - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    rings = np.split(scaled, np.cumsum(outlines.rings[:-1, 2]))
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, rings, 255, cv2.LINE_8, _SUBPIXEL_BITS)
    cv2.copyTo(cv2.convertScaleAbs(picture, alpha=0.7), mask, picture)
    cv2.polylines(picture, rings, True, (0, 0, 255), 2, cv2.LINE_AA, _SUBPIXEL_BITS)


def _encoded(picture: Any) -> bytes:
    """What is in a PNG whose rows are their difference to the row above."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    rgb[1:] = rgb[1:] - rgb[:-1]
    packed: bytes = isal_zlib.compress(rgb, 1)
    return packed


def _write_text(file: Any, outlines: Outlines, watch: Stopwatch) -> None:
    """Coordinates once for each annotation format, measures once for each table."""
    measures = np.repeat(outlines.scores[:, None] * np.pi, len(MEASURES), axis=1)
    wanted = {"coco": outlines.points.ravel(), "json": outlines.points}
    wanted |= dict.fromkeys(("xlsx", "csv", "metrics json"), measures)
    for stage, numbers in wanted.items():
        with watch.stage(stage):
            text = orjson.dumps(np.ascontiguousarray(numbers), option=orjson.OPT_SERIALIZE_NUMPY)
            file.write(isal_zlib.compress(text, 1))
