"""Structured logs: one line an event, JSON unless a person watches a terminal.

Every line says which program wrote it. What belongs to a request, a socket or a build says so too: `config.tracing`.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from config import tracing

_PROGRAMS = {"rqworker": "worker", "sweep_exports": "sweep"}
_SECRET = re.compile(r"(\b(?:token|sessionid|csrftoken|password)=|\bBearer )[^\s&;,'\"\\\]]+", re.IGNORECASE)
# Control characters, and the two that some readers take for the end of a line.
_UNPRINTABLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    tracing.name_user,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

_program = ""


def formatter(version: str) -> logging.Formatter:
    """The formatter of every handler, for our own events and those of the libraries."""
    terminal = sys.stderr.isatty()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _Origin(version),
            *(_TERMINAL if terminal else _FILE),
            _without_secrets,
        ],
    )


def become(program: str) -> None:
    """Say from now on that this process is another program: a work horse, forked by a worker."""
    global _program
    _program = program


class Calm(logging.Filter):
    """Nothing is said twice, and what a client did wrong is no error of ours: one short line, no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request" and (not record.exc_info or record.levelno < logging.ERROR):
            return False  # config.tracing says how each request ended
        if record.name.startswith("django.security"):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class _Origin:
    """Which process wrote the line; its number is asked for each time, for processes fork."""

    def __init__(self, version: str) -> None:
        self._version = version
        become(_program or _program_of(sys.argv))

    def __call__(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, "process": _program, "pid": os.getpid(), "version": self._version}


def _program_of(arguments: list[str]) -> str:
    """`web`, `worker`, `scheduler`, `up`, or the name of the command."""
    name = Path(arguments[0]).stem if arguments else ""
    command = arguments[1] if name == "manage" and len(arguments) > 1 else name
    if command == "sweep_exports" and "--repeat" in arguments:
        return "scheduler"
    return _PROGRAMS.get(command, command)


def _printable(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For the terminal: what a user named cannot begin a line of its own, nor colour the screen."""
    return {
        key: value.translate(_UNPRINTABLE) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _without_secrets(_logger: Any, _name: str, line: Any) -> str:
    """The last net: no line of ours names one, but a library's message or a traceback may."""
    return _SECRET.sub(r"\1[hidden]", line)


_FILE: tuple[Any, ...] = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
_TERMINAL: tuple[Any, ...] = (
    _printable,
    structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
)

structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
