"""The baseline's overlays: OpenCV's drawing calls, object by object."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RED, BLUE, WHITE, BLACK = (0, 0, 255), (255, 0, 0), (255, 255, 255), (0, 0, 0)
OPACITY = 0.3
FONT, SCALE = cv2.FONT_HERSHEY_SIMPLEX, 1.0


def draw(picture: Any, objects: list[dict[str, Any]]) -> Any:
    """A copy of (h, w, 3) BGR with filled objects, outlines and numbers."""
    filled = picture.copy()
    contours = [[np.array(ring).round().astype(np.int32) for ring in cell["rings"]] for cell in objects]
    for rings in contours:
        cv2.fillPoly(filled, rings, RED)
    drawn = cv2.addWeighted(filled, OPACITY, picture, 1 - OPACITY, 0)
    for number, (outer, *holes) in enumerate(contours, 1):
        cv2.polylines(drawn, [outer], True, RED, 2, cv2.LINE_AA)
        cv2.polylines(drawn, holes, True, BLUE, 2, cv2.LINE_AA)
        _number(drawn, outer, str(number))
    return drawn


def _number(drawn: Any, outer: NDArray[np.int32], text: str) -> None:
    (width, height), _ = cv2.getTextSize(text, FONT, SCALE, 2)
    x, y = outer.mean(axis=0)
    place = (int(x - width / 2), int(y + height / 2))
    cv2.putText(drawn, text, place, FONT, SCALE, BLACK, 6, cv2.LINE_AA)
    cv2.putText(drawn, text, place, FONT, SCALE, WHITE, 2, cv2.LINE_AA)
