"""A pytest plugin: one PostgreSQL a run, one Valkey a pytest process, both started before Django's settings.

Pub/sub ignores Redis' database numbers, so processes cannot share a Valkey; PostgreSQL gives each its own
database. Nothing here touches a server that happens to run on the machine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from config import embedded

_stack = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Set the environment that `config.settings` reads."""
    os.environ.update(SECRET_KEY="only-for-tests", DEBUG="false", ALLOWED_HOSTS="*", SECURE_SSL_REDIRECT="no")
    os.environ.update(EXPORT_HEARTBEAT_TIMEOUT="30 s", LOG_LEVEL="WARNING")
    data_dir = _folder()
    os.environ["DATA_DIR"] = str(data_dir)
    (data_dir / "static").mkdir()  # WhiteNoise warns when it is missing
    if "PYTEST_XDIST_WORKER" not in os.environ:
        found = _start(_folder(), postgres=True, redis=False)
        host = quote(str(found.postgres_socket_folder), safe="")
        os.environ["DATABASE_URL"] = f"postgres://postgres@{host}/exports"
    os.environ["REDIS_URL"] = _start(data_dir, postgres=False, redis=True).redis_url
    return (yield)


def pytest_unconfigure() -> None:
    _stack.close()


def _start(data_dir: Path, *, postgres: bool, redis: bool) -> embedded.Addresses:
    servers = embedded.running(data_dir, log=lambda _: None, postgres=postgres, redis=redis, durable=False)
    return _stack.enter_context(servers)


def _folder() -> Path:
    """A folder that the user of PostgreSQL may enter too."""
    folder = Path(tempfile.mkdtemp(prefix="exports-test-"))
    folder.chmod(0o755)
    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder
