"""The settings of a worker that is told to stop at an awkward moment, once: UNTIMELY says when."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from rq import Worker

from config.settings import *  # noqa: F403

MOMENTS = {"before-fork": "fork_work_horse", "in-fork": "setup_work_horse_signals"}
_worker_pid = os.getpid()


def _told_to_stop_before(plain: Callable[..., Any]) -> Callable[..., Any]:
    def untimely(self: Worker, *arguments: object) -> Any:
        os.kill(_worker_pid, signal.SIGTERM)
        if os.getpid() != _worker_pid:
            time.sleep(0.5)  # the worker's own message comes before the horse can hear of anything
        return plain(self, *arguments)

    return untimely


_name = MOMENTS[os.environ["UNTIMELY"]]
setattr(Worker, _name, _told_to_stop_before(getattr(Worker, _name)))
