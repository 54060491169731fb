"""The settings of a host whose clock is wrong by CLOCK_OFFSET_SECONDS: for the process and all that it forks."""

from __future__ import annotations

import os
import time

import time_machine

from config.settings import *  # noqa: F403

time_machine.travel(time.time() + float(os.environ["CLOCK_OFFSET_SECONDS"]), tick=True).start()
