"""Waiting for what another process or thread will bring about."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

PATIENCE = 30.0  # seconds


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> float:
    """Wait for it; the seconds that it took. Raise TimeoutError."""
    start = monotonic()
    while not condition():
        if monotonic() - start > seconds:
            raise TimeoutError("it did not happen")
        sleep(0.005)
    return monotonic() - start
