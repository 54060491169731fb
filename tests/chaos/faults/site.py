"""Where a fault strikes, and what all of them do: find a process, send it a signal, wait until it all answers."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from tests.chaos.course import Course, now, wait_until
from tests.chaos.hub import Hub

RECOVERY_SECONDS = 15.0
AWAY = "was away"


@dataclass(frozen=True)
class Site:
    """What was killed is started again by `Hub.keep`."""

    course: Course
    hub: Hub
    staff_cookie: str

    def recovered(self) -> str:
        """After the word of what was done: when each answered again."""
        began, hub = now(), self.hub
        parts = {"database": hub.database_answers, "Redis": hub.redis_answers, "web": hub.web_answers}
        told = ""
        for name, answers in parts.items():
            wait_until(answers, RECOVERY_SECONDS, every=0.1)
            told += f", {name} after {now() - began:.1f} s"
        return told


def one_of(chance: random.Random, processes: Iterable[psutil.Process]) -> psutil.Process | None:
    found = sorted(processes, key=lambda process: process.pid)
    return chance.choice(found) if found else None


def signal_to(process: psutil.Process | None, number: signal.Signals) -> str:
    if process is None:
        return AWAY
    with suppress(psutil.Error):
        process.send_signal(number)
        return f"{number.name} to {process.pid}"
    return "went meanwhile"


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
