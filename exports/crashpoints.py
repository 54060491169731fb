"""Named places at which a process kills itself when a test asks for one; otherwise nothing happens there.

`EXPORT_CRASH_AT` names the place; it is refused outside development mode. Each move has three: recorded
but not committed, committed but not told to anybody, told but not answered.
"""

from __future__ import annotations

import os
import signal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from exports.states import Status

MOMENTS = ("recorded", "committed", "told")
POINTS = (
    *(f"{status.value}.{moment}" for status in Status for moment in MOMENTS),
    "staging.made",
    "archive.begun",
    "archive.written",
    "archive.flushed",
    "archive.named",
    "archive.published",
    "files.removed",
)


def reach(point: str) -> None:
    if point == settings.EXPORT_CRASH_AT:
        os.kill(os.getpid(), signal.SIGKILL)


if settings.EXPORT_CRASH_AT and settings.EXPORT_CRASH_AT not in POINTS:
    raise ImproperlyConfigured(f"EXPORT_CRASH_AT must be one of {', '.join(POINTS)}.")
