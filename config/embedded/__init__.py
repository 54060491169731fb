"""The embedded PostgreSQL and Valkey: two servers from wheels, private to one data folder.

    with running(data_dir, log=print) as found:
        found.redis_url

Sockets lie in a short folder below the temporary folder, because a socket's path has 103 bytes at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.places import Addresses, EmbeddedServerError, addresses, explained, prepare_data_dir
from config.embedded.servers import Servers

__all__ = [
    "Addresses",
    "EmbeddedServerError",
    "Servers",
    "addresses",
    "explained",
    "prepare_data_dir",
    "running",
]

# How long a command that started the servers waits at its end for others that found them.
PATIENCE_SECONDS = 10.0


@contextmanager
def running(
    data_dir: Path,
    *,
    log: Callable[[str], None],
    postgres: bool = True,
    redis: bool = True,
    durable: bool = True,
) -> Iterator[Addresses]:
    """Find or start the servers of the data folder; at the end stop those that were started here.

    `durable=False` trades safety against power loss for speed, for tests. Raises EmbeddedServerError.
    """
    servers = Servers(data_dir, log=log, postgres=postgres, redis=redis, durable=durable)
    try:
        servers.start_missing()
        yield servers.addresses
    finally:
        servers.stop(patience=PATIENCE_SECONDS)
