"""The worker process: it waits for calls and forks a work horse for each.

What RQ's own worker lacks: horses that die with their worker, a kill that can only hit the horse, no
database connection shared over the fork, and a SIGTERM that has the running job given back.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from django.db import connections
from django.urls import reverse
from rq import Worker
from rq.job import Job
from rq.queue import Queue

from config import logs

PR_SET_PDEATHSIG = 1
NICENESS = 5  # of builds: a click, a cancel above all, comes before them
BEAT_SECONDS = 5  # between two signs of life that the waiting parent gives RQ

_stopping = False


def is_stopping() -> bool:
    """Whether this work horse was asked to give its job back."""
    return _stopping


def give_up() -> None:
    """End this work horse at once: its job is no longer its own, and it does not come to notice."""
    os.kill(os.getpid(), signal.SIGKILL)


class ExportWorker(Worker):
    """One queue, one horse at a time. No ORM in the parent: a horse would inherit its connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("job_monitoring_interval", BEAT_SECONDS)
        kwargs.setdefault("maintenance_interval", 60)
        super().__init__(*args, **kwargs)
        preload()

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kill the horse and nothing else; RQ's own would hit our process group when there is none."""
        pid = self.horse_pid
        try:
            if not pid:
                return
            if os.getpgid(pid) == os.getpgrp():  # the child has not left our group yet
                os.kill(pid, sig)
                return
        except ProcessLookupError:
            return
        super().kill_horse(sig)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        connections.close_all()
        # Held back until the horse has its handler: an early request to stop neither kills it nor is lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        super().fork_work_horse(job, queue)
        if self._stop_requested:  # it came before there was a horse to tell
            self._tell_horse_to_stop()

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        _die_with(os.getppid() if self.pid is None else self.pid)
        os.nice(NICENESS)
        logs.become("work_horse")
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGUSR1, _stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})

    def handle_warm_shutdown_request(self) -> None:
        """The first SIGTERM: the horse gives its job back at its next beat instead of finishing it."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self._tell_horse_to_stop()

    def _tell_horse_to_stop(self) -> None:
        with suppress(ProcessLookupError):  # RQ forgets its pid a moment after its end
            if self.horse_pid:
                os.kill(self.horse_pid, signal.SIGUSR1)


def preload() -> None:
    """Load what every horse needs before the fork: most of a second less for each job."""
    import cv2

    import exports.jobs  # noqa: F401
    from exports.archive import formats, naming  # noqa: F401

    formats.preload()
    reverse("api:export_formats")  # loads every address of the site: an event holds one
    # OpenCV's own threads cost a tenth of an export and compete with the other workers for the cores.
    cv2.setNumThreads(1)


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent goes, however it goes (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before the kernel was told
        os._exit(1)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    global _stopping
    _stopping = True
