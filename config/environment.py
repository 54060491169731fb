"""Typed reading of environment variables: a value that makes no sense stops the start with one sentence."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from limits import RateLimitItem, parse

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def boolean(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value in _TRUE


def integer(name: str, default: int, *, least: int = 1, most: int = 2**31 - 1) -> int:
    value = text(name, str(default))
    if not re.fullmatch(r"-?\d+", value) or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def duration(name: str, default: str) -> timedelta:
    """A time such as `30 s`, `15 min`, `4 h` or `7 days`; a bare number is in seconds."""
    value = text(name, default)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.lower())
    if not match or match[2] not in _SECONDS or not float(match[1]):
        raise ImproperlyConfigured(f"{name} must be a time such as 30 s, 4 h or 7 days, not {value!r}.")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def rate(name: str, default: str) -> RateLimitItem:
    """So many in a time, such as `600/minute`."""
    value = text(name, default)
    match = re.fullmatch(r"([1-9]\d{0,8})\s*/\s*(second|minute|hour|day)", value.lower())
    if not match:
        raise ImproperlyConfigured(f"{name} must be a rate such as 10/second or 600/minute, not {value!r}.")
    return parse(f"{match[1]}/{match[2]}")


def choice(name: str, default: str, among: tuple[str, ...]) -> str:
    """One of these words, however it is written."""
    value = text(name, default).upper()
    if value not in among:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(among)}, not {value!r}.")
    return value


def address(name: str, default: str, schemes: tuple[str, ...], example: str) -> str:
    """The refusal does not repeat the value, which may hold a password."""
    value = text(name, default)
    scheme, separator, _ = value.partition("://")
    if not separator or scheme not in schemes or not _is_whole(value):
        raise ImproperlyConfigured(f"{name} must be an address such as {example}.")
    return value


def _is_whole(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def folder(name: str, default: str) -> Path:
    return Path(text(name, default)).expanduser().resolve()
