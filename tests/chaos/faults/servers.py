"""Trouble with what the programs stand on: Redis, PostgreSQL, the disk."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import psycopg
from redis.exceptions import RedisError

from tests.chaos.faults.site import AWAY, Site, one_of, signal_to
from tests.chaos.hub import children


def kill_redis(site: Site, chance: random.Random) -> str:
    seconds = chance.uniform(0, 3)
    site.hub.leave_servers_down(seconds)
    told = signal_to(one_of(chance, site.hub.processes("valkey-server")), signal.SIGKILL)
    return f"{told}, away for {seconds:.1f} s{site.recovered()}"


def empty_redis(site: Site, _chance: random.Random) -> str:
    with suppress(RedisError), site.hub.redis() as redis:
        redis.flushall()
        return "emptied"
    return AWAY


def freeze_redis(site: Site, chance: random.Random) -> str:
    valkey = one_of(chance, site.hub.processes("valkey-server"))
    signal_to(valkey, signal.SIGSTOP)
    site.course.pause(2)
    return signal_to(valkey, signal.SIGCONT)


def kill_postgres(site: Site, chance: random.Random) -> str:
    """As in a power cut, or only the first of them, or an immediate stop."""
    postmaster = one_of(chance, site.hub.processes("postgres"))
    if postmaster is None:
        return AWAY
    way = chance.choice(("all at once", "the first", "immediate stop"))
    family = [postmaster, *children(postmaster)] if way == "all at once" else [postmaster]
    for process in family:
        signal_to(process, signal.SIGQUIT if way == "immediate stop" else signal.SIGKILL)
    return way + site.recovered()


def cut_connections(site: Site, _chance: random.Random) -> str:
    everybody = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
    )
    with suppress(psycopg.OperationalError), site.hub.connect() as connection:
        cut = connection.execute(f"{everybody} AND pid <> pg_backend_pid()").fetchall()
        return f"{cut[0][0]} connections"
    return AWAY


def lock_a_row(site: Site, _chance: random.Random) -> str:
    chosen = "SELECT id FROM exports_exportjob ORDER BY status IN ('pending', 'processing') DESC, random()"
    with suppress(psycopg.OperationalError), site.hub.connect() as connection, connection.transaction():
        found = connection.execute(f"{chosen} LIMIT 1 FOR UPDATE SKIP LOCKED").fetchall()
        site.course.pause(1)
        return f"job {found[0][0] if found else None}"
    return AWAY


def fill_disk(site: Site, _chance: random.Random) -> str:
    filler = site.hub.exports / "filler"
    try:
        written = _fill(filler)
        site.course.pause(2)
    finally:
        filler.unlink(missing_ok=True)
    return f"{written >> 20} MB for 2 s"


def _fill(filler: Path) -> int:
    """To the last byte; the number of bytes."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        for step in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(b"\0" * step):
                    pass
    return os.stat(filler).st_size
