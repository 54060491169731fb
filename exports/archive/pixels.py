"""The pixels of a stored image: as they are shown, and as its file holds them."""

from __future__ import annotations

from imagefiles.display import for_display
from imagefiles.headers import UnreadableImage
from imagefiles.values import original_values

__all__ = ["UnreadableImage", "for_display", "original_values"]
