"""What can go wrong, by the names of GUARANTEES.md. Each returns what it did, once the hub can answer again."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.chaos.faults import people, programs, servers
from tests.chaos.faults.site import Site

Fault = Callable[[Site, random.Random], str]
FAULTS: dict[str, Fault] = {
    "W9": programs.kill_worker,
    "H9": programs.kill_horse,
    "WS": programs.freeze_horse,
    "WT": programs.terminate_worker,
    "L9": programs.kill_web,
    "S9": programs.kill_scheduler,
    "R9": servers.kill_redis,
    "RF": servers.empty_redis,
    "RW": servers.freeze_redis,
    "P9": servers.kill_postgres,
    "PT": servers.cut_connections,
    "PW": servers.lock_a_row,
    "DF": servers.fill_disk,
    "2X": people.deliver_again,
    "RQ": people.meddle_in_the_queue,
    "LOOK": people.look,
}
