"""What is logged during a test, as the console would have it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from config import logs


class Listener(logging.Handler):
    """Keeps the records, and the lines that they would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.formatter(settings.VERSION))
        self.addFilter(logs.Calm())
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(self.format(record))

    @property
    def alarms(self) -> list[str]:
        """What nobody should be woken by when it is a client who did wrong."""
        loud = (each for each in self.records if each.exc_info or each.levelno > logging.WARNING)
        return [f"{each.name}: {each.getMessage()}" for each in loud]


@contextmanager
def listening(level: int = logging.INFO) -> Iterator[Listener]:
    listener, root = Listener(), logging.getLogger()
    before = root.level
    root.addHandler(listener)
    root.setLevel(level)
    try:
        yield listener
    finally:
        root.setLevel(before)
        root.removeHandler(listener)
