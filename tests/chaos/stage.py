"""A hub of its own for one run, put together as `manage.py up` does: a temporary folder, a small disk, servers, programs."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from config.listening import listen
from config.supervisor import Program
from tests.chaos.course import now
from tests.chaos.hub import Hub, children
from tests.processes import HOST, ROOT

WORKERS = 2
START_SECONDS = 90.0
DISK_BYTES = 768 << 20
CLONE_NEWNS = 0x20000
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "only-for-chaos",
    "DEBUG": "false",
    "ALLOWED_HOSTS": f"{HOST},localhost",
    "SECURE_SSL_REDIRECT": "no",
    "LOG_LEVEL": "INFO",
    "WORKERS": str(WORKERS),
    "EXPORT_HEARTBEAT_TIMEOUT": "4 s",
    "EXPORT_TIMEOUT": "60 s",
}
NOT_FROM_THE_SHELL = ("DATABASE_URL", "REDIS_URL", "STATEMENT_TIMEOUT_MS", "BROKEN")
"""And nothing that begins with EXPORT_."""


@contextmanager
def private_hub(broken: str) -> Iterator[Hub]:
    """A hub in a temporary folder; nothing of it is left afterwards."""
    with ExitStack() as stack:
        data_dir = Path(tempfile.mkdtemp(prefix="chaos-"))
        stack.callback(shutil.rmtree, data_dir, ignore_errors=True)
        data_dir.chmod(0o755)  # PostgreSQL's own account has to pass through
        has_small_disk = _mount_small_disk(data_dir / "exports")
        if has_small_disk:
            stack.callback(subprocess.run, ["umount", "--lazy", str(data_dir / "exports")], check=False)
        listener = stack.enter_context(listen(HOST, 0))
        _set_environment(data_dir)
        hub = Hub(data_dir, listener.getsockname()[1], has_small_disk)
        stack.callback(hub.stop_servers)
        hub.start_servers()
        _prepare_database()
        stack.callback(hub.stop_programs)
        stack.callback(_thaw_everybody, hub)
        hub.start_programs(_programs(listener, broken))
        _wait_until_it_answers(hub)
        yield hub


def _wait_until_it_answers(hub: Hub) -> None:
    until = now() + START_SECONDS
    hub.keep(lambda: hub.web_answers() or now() > until)
    if not hub.web_answers():
        printed = (hub.data_dir / "logs" / "web.log").read_text(errors="replace")
        raise RuntimeError(f"The web server did not start:\n{printed[-3000:]}")


def _set_environment(data_dir: Path) -> None:
    for name in list(os.environ):
        if name in NOT_FROM_THE_SHELL or name.startswith("EXPORT_"):
            del os.environ[name]
    os.environ.update(SETTINGS, DATA_DIR=str(data_dir))


def _prepare_database() -> None:
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    connections.close_all()


def _programs(listener: Any, broken: str) -> list[list[Program]]:
    """Those of `up`, with a scheduler that sweeps every second."""
    from config.programs import programs

    own = {"DJANGO_SETTINGS_MODULE": "tests.chaos.broken_settings", "BROKEN": broken} if broken else {}
    own["PYTHONPATH"] = str(ROOT)
    return [[_hastened(each, own) for each in group] for group in programs(listener)]


def _hastened(program: Program, own: dict[str, str]) -> Program:
    command = program.command
    if program.name == "scheduler":
        command = (*command[: command.index("--repeat")], "--repeat", "1")
    return replace(program, command=command, environment={**program.environment, **own})


def _mount_small_disk(folder: Path) -> bool:
    """A disk that can be filled, seen by us and our children alone; root only."""
    folder.mkdir()
    if sys.platform != "linux" or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        return False
    private = subprocess.run(["mount", "--make-rprivate", "/"], check=False, capture_output=True)
    size = f"size={DISK_BYTES},mode=755"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    return private.returncode == 0 and subprocess.run(mount, check=False).returncode == 0


def _thaw_everybody(hub: Hub) -> None:
    """Nobody stays frozen: a stopped process would not hear that it is to end."""
    for process in [*children(psutil.Process()), *hub.horses()]:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGCONT)
