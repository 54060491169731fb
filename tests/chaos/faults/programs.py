"""Trouble with the programs of the site: killed, frozen, told to stop."""

from __future__ import annotations

import random
import re
import signal
from contextlib import suppress

import psutil
import psycopg

from tests.chaos.course import now, wait_until
from tests.chaos.faults.site import RECOVERY_SECONDS, Site, lives, one_of, signal_to
from tests.chaos.hub import children

FROZEN_SECONDS = 15.0
"""At most: what the heartbeat timeout and a sweep take on a busy machine."""
STOP_SECONDS = 20.0
FREEZE_TRIES = 10
STAGING = re.compile(r"/staging/(?P<job>[0-9a-f-]{36})-(?P<attempt>\d+)/")


def kill_worker(site: Site, chance: random.Random) -> str:
    worker = one_of(chance, site.hub.workers())
    horses = [] if worker is None else children(worker)
    signal_to(worker, signal.SIGKILL)
    began = now()
    wait_until(lambda: not any(lives(horse) for horse in horses), RECOVERY_SECONDS, every=0.01)
    return f"{len(horses)} horses, gone after {now() - began:.2f} s"


def kill_horse(site: Site, chance: random.Random) -> str:
    return signal_to(_a_horse(site, chance), signal.SIGKILL)


def freeze_horse(site: Site, chance: random.Random) -> str:
    """Until its job was taken from it; at times with its worker, as a host that sleeps: nobody can kill it then."""
    horse = _a_frozen_horse(site, chance)
    attempt = horse and _attempt_of(horse)
    if horse is None or attempt is None:
        return "nobody was building"
    workers = [worker for worker in site.hub.workers() if horse in children(worker)]
    frozen = [horse, *workers] if chance.random() < 0.6 else [horse]
    for process in frozen:
        signal_to(process, signal.SIGSTOP)
    began = now()
    wait_until(lambda: _is_lost(site, *attempt), FROZEN_SECONDS, every=0.2)
    for process in frozen:
        site.course.pause(chance.uniform(0, 1))
        signal_to(process, signal.SIGCONT)
    return f"{len(frozen)} processes for {now() - began:.1f} s, attempt {attempt[1]} of {attempt[0]}"


def terminate_worker(site: Site, chance: random.Random) -> str:
    worker = one_of(chance, site.hub.workers())
    signal_to(worker, signal.SIGTERM)
    began = now()
    wait_until(lambda: worker is None or not lives(worker), STOP_SECONDS)
    return f"gone after {now() - began:.1f} s"


def kill_web(site: Site, chance: random.Random) -> str:
    told = signal_to(one_of(chance, site.hub.processes("config.web")), signal.SIGKILL)
    return told + site.recovered()


def kill_scheduler(site: Site, chance: random.Random) -> str:
    return signal_to(one_of(chance, site.hub.processes("sweep_exports")), signal.SIGKILL)


def _a_horse(site: Site, chance: random.Random) -> psutil.Process | None:
    """One that writes an archive; they live for a moment only."""
    found: list[psutil.Process] = []

    def is_found() -> bool:
        found[:] = [horse for horse in site.hub.horses() if _attempt_of(horse)]
        return bool(found)

    wait_until(is_found, RECOVERY_SECONDS, every=0.005)
    return one_of(chance, found)


def _a_frozen_horse(site: Site, chance: random.Random) -> psutil.Process | None:
    """Stopped in the middle of an archive; one that had just finished goes on, and another is tried."""
    for _ in range(FREEZE_TRIES):
        horse = _a_horse(site, chance)
        signal_to(horse, signal.SIGSTOP)
        if horse and _attempt_of(horse):
            return horse
        signal_to(horse, signal.SIGCONT)
    return None


def _is_lost(site: Site, job: str, attempt: int) -> bool:
    owned = "SELECT 1 FROM exports_exportjob WHERE id = %s AND attempt = %s AND status = 'processing'"
    with suppress(psycopg.OperationalError), site.hub.connect() as connection:
        return not connection.execute(owned, (job, attempt)).fetchall()
    return False


def _attempt_of(horse: psutil.Process) -> tuple[str, int] | None:
    """The job and the attempt whose archive it has open."""
    with suppress(psutil.Error):
        for file in horse.open_files():
            if match := STAGING.search(file.path):
                return match["job"], int(match["attempt"])
    return None
