"""What the programs log, as the lines that are printed."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from config.logs import Calm, formatter

Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def printed(level: int = logging.INFO) -> Iterator[io.StringIO]:
    """All that this process logs meanwhile, through the formatter of the site's own handler."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("1.2.3"))
    handler.addFilter(Calm())
    structlog.contextvars.clear_contextvars()  # a build that this process made is over
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    """Each line as the object that it has to be."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def transitions(stream: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in lines_of(stream) if line["event"] == "transition"]
