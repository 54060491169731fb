"""The site's programs as real processes on the test database: for fault and browser tests.

with start_daphne(0, environment(tmp_path)) as web, start_worker(environment(tmp_path)):
    web.url
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings

from config import processes
from config.embedded.valkey import Valkey
from config.listening import listen

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
STOP_SECONDS = 10.0
MAXIMAL_MESSAGE_BYTES = "65536"


@dataclass
class Running:
    """A program under test; `process` may be killed and stopped at will."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    inherited: tuple[int, ...] = ()
    url: str = ""
    """`http://127.0.0.1:PORT` of a web server."""
    process: subprocess.Popen[bytes] = field(init=False)
    output: Path = field(init=False)
    """What it prints, each start to a file of its own in `logs` of the data folder."""

    def start(self) -> None:
        """Also again, after it ended. It dies with the thread that calls this."""
        logs = Path(self.environment["DATA_DIR"]) / "logs"
        self.output = logs / f"{self.name}-{len(list(logs.glob(self.name + '-*')))}.log"
        self.process = processes.start(
            (sys.executable, *self.command),
            output=self.output,
            environment=self.environment,
            folder=ROOT,
            inherited=self.inherited,
        )

    @property
    def stream_url(self) -> str:
        return self.url.replace("http://", "ws://") + "/ws/exports/"

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, also for a process that a test has frozen; kill -9 when that is not enough."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        processes.stop(self.process, signal.SIGTERM, STOP_SECONDS)


def environment(data_dir: Path, **changes: str) -> dict[str, str]:
    """For children that use the servers of this test run, and `data_dir` for files."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "DATA_DIR": str(data_dir),
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "true",
        "ALLOWED_HOSTS": f"localhost,{HOST}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SUPERVISED": "true",
        "PYTHONUNBUFFERED": "1",
        **changes,
    }


def database_url() -> str:
    """The address of the test database, which has its name only once the tests run."""
    database: dict[str, Any] = settings.DATABASES["default"]
    account = quote(database.get("USER") or "", safe="")
    if database.get("PASSWORD"):
        account += ":" + quote(database["PASSWORD"], safe="")
    port = f":{database['PORT']}" if database.get("PORT") else ""
    host = quote(database.get("HOST") or "localhost", safe="")
    return f"postgres://{account}@{host}{port}/{quote(database['NAME'], safe='')}"


@contextmanager
def start_daphne(port: int, env: Mapping[str, str]) -> Iterator[Running]:
    """The web server, once it answers; port 0 takes a free one."""
    with listen(HOST, port) as listener:
        listener.set_inheritable(True)
        command = (
            *("-m", "config.web", "--verbosity", "0", "--websocket-max-message-size", MAXIMAL_MESSAGE_BYTES),
            *("--fd", str(listener.fileno()), "config.asgi:application"),
        )
        with _started("web", command, env, inherited=(listener.fileno(),)) as web:
            web.url = f"http://{HOST}:{listener.getsockname()[1]}"
            _wait_until_it_answers(web)
            yield web


@contextmanager
def start_worker(env: Mapping[str, str]) -> Iterator[Running]:
    """One export worker; it needs a second or two before it takes its first job."""
    command = (
        *("manage.py", "rqworker", "exports", "--worker-class", "exports.worker.ExportWorker"),
        *("--serializer", "rq.serializers.JSONSerializer", "--worker-ttl", "30"),
    )
    with _started("worker", command, {"STATEMENT_TIMEOUT_MS": "30000", **env}) as worker:
        yield worker


@contextmanager
def start_scheduler(env: Mapping[str, str], every: int = 1) -> Iterator[Running]:
    """What repeats the sweep, here every `every` seconds."""
    with _started("scheduler", ("manage.py", "sweep_exports", "--repeat", str(every)), env) as scheduler:
        yield scheduler


@contextmanager
def start_valkey(folder: Path) -> Iterator[Valkey]:
    """A Redis of the test's own, which it may `kill` and `start` again; `folder` has a short path."""
    valkey = Valkey(folder, folder / "redis.sock", lambda _: None, durable=False)
    valkey.start()
    try:
        yield valkey
    finally:
        kill(valkey, signal.SIGCONT)
        valkey.stop()


def kill(valkey: Valkey, by: signal.Signals = signal.SIGKILL) -> None:
    """Send the signal; after SIGKILL wait until it is gone."""
    process = valkey._process
    assert process is not None
    process.send_signal(by)
    if by == signal.SIGKILL:
        process.wait()


@contextmanager
def _started(
    name: str, command: tuple[str, ...], env: Mapping[str, str], inherited: tuple[int, ...] = ()
) -> Iterator[Running]:
    running = Running(name, command, env, inherited)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def _wait_until_it_answers(web: Running) -> None:
    """Any answer will do; the connection waits in the listener's queue until the server takes it."""
    connection = http.client.HTTPConnection(web.url.removeprefix("http://"), timeout=START_SECONDS)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except OSError as error:
        raise AssertionError(f"{web.name} did not start:\n{web.output.read_text()[-3000:]}") from error
    finally:
        connection.close()
