"""Values as a screen shows them: eight bits a channel, in blue, green and red.

Eight bits are kept as they are, unless they lie within a quarter of their range: then they are stretched from their
least to their greatest value, but for the outermost of ten thousand. More bits are stretched from the 0.35 to the
99.65 percentile of all channels. NaN is black, as is minus infinity; infinity is white.
"""

from __future__ import annotations

from math import ceil, sqrt
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from imagefiles.headers import UnreadableImage
from imagefiles.values import MAX_BYTES, original_values

Values = NDArray[Any]
Shown = NDArray[np.uint8]

_PERCENTILES = (0.35, 99.65)
_OUTERMOST = 1e-4
_LOW_CONTRAST = 64  # grey levels
_SAMPLE, _SMALL_SAMPLE = 1 << 19, 1 << 16  # pixels
_BAND = 256  # rows


def for_display(path: Path, *, width: int, height: int, max_bytes: int = MAX_BYTES) -> Shown:
    """(height, width, 3) uint8 BGR, its rows contiguous. Raise UnreadableImage, as `original_values` does."""
    values = original_values(path, width=width, height=height, max_bytes=max_bytes)
    try:
        return shown(values)
    except MemoryError as error:
        raise UnreadableImage("The image takes more memory than there is.") from error


def shown(values: Values) -> Shown:
    """(height, width, 3) uint8 BGR, its rows contiguous.

    From (height, width, channels) of any real numbers: fewer than three channels are grey, of which the first
    is shown, otherwise the first three are red, green and blue.
    """
    if values.shape[2] >= 3:
        return np.ascontiguousarray(_in_eight_bits(values[:, :, 2::-1]))
    grey = np.ascontiguousarray(_in_eight_bits(values[:, :, 0]))
    return cast(Shown, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


def _in_eight_bits(values: Values) -> Shown:
    if values.dtype == np.uint8:
        low, high = _extremes(values)
        return values if high == low or high - low >= _LOW_CONTRAST else _by_table(values, low, high)
    low, high = _range(values)
    if values.dtype in (np.uint16, np.int16, np.int8):
        return _by_table(values, low, high)
    return _in_bands(values, low, high)


def _extremes(values: Values) -> tuple[float, float]:
    """Of eight bits: by counting, for this is asked of every image."""
    counts = np.bincount(_sample(values, _SMALL_SAMPLE).reshape(-1), minlength=256).cumsum()
    low, high = np.searchsorted(counts, [_OUTERMOST * counts[-1], (1 - _OUTERMOST) * counts[-1]], "right")
    return float(low), float(min(high, 255))


def _range(values: Values) -> tuple[float, float]:
    """What is shown black and what white; infinities and NaN do not count."""
    sample = _sample(values, _SAMPLE).astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 0.0
    low, high = np.percentile(sample, _PERCENTILES)
    return (low, high) if high > low else (sample.min(), sample.max())


def _sample(values: Values, pixels: int) -> Values:
    """Whole pixels, in even steps. Half a million are enough: their percentiles differ by less than a grey level."""
    step = ceil(sqrt(values.shape[0] * values.shape[1] / pixels))
    return values[::step, ::step]


def _by_table(values: Values, low: float, high: float) -> Shown:
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    every_value = np.arange(1 << 8 * values.dtype.itemsize).astype(unsigned).view(values.dtype)
    table = _stretched(every_value, low, high)
    return cast(Shown, table[values.view(unsigned)])


def _in_bands(values: Values, low: float, high: float) -> Shown:
    eight_bits = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BAND):
        eight_bits[top : top + _BAND] = _stretched(values[top : top + _BAND], low, high)
    return eight_bits


def _stretched(values: Values, low: float, high: float) -> Shown:
    with np.errstate(all="ignore"):
        stretched = (values.astype(np.float64) - low) * (255 / max(high - low, 1e-300))
        levels: Shown = np.rint(np.clip(np.nan_to_num(stretched), 0, 255)).astype(np.uint8)
    return levels
