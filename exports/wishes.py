"""What a client may say to its stream, and how much of it."""

from __future__ import annotations

import json
import time

MOST_CHARACTERS = 4096


class Refused(Exception):
    """What the client sent cannot be answered; the argument is the error's `code`."""


class Allowance:
    """Messages that a client may send: `most` at once, coming back at `per_second`."""

    def __init__(self, most: int, per_second: float) -> None:
        self._most, self._per_second = most, per_second
        self._left, self._since = float(most), time.monotonic()

    def spend(self) -> bool:
        """Whether there was one left."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._since) * self._per_second) - 1
        self._since = now
        return self._left >= 0


def asked(text: str | None) -> object:
    """The `type` of the client's message; a binary one comes as None. Raise Refused."""
    if text is None:
        raise Refused("binary_not_supported")
    if len(text) > MOST_CHARACTERS:
        raise Refused("too_large")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("malformed") from None
    if not isinstance(message, dict):
        raise Refused("malformed")
    return message.get("type")
