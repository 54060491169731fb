"""The hub as a stack of real programs with a PostgreSQL and a Valkey of their own: for what kills them.

    with stack(workers=2, environment={"EXPORT_HEARTBEAT_TIMEOUT": "4 s"}) as hub:
        started = hub.call("POST", hub.exports("small"), hub.users["alice"].token, {})
        hub.kill_postgres()
        hub.start_postgres()

Works outside pytest too. Whatever is started dies with the thread that started it.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psutil
import psycopg
from redis import Redis

from config.embedded.places import addresses, prepare_socket_folder, remove_socket_folder
from config.embedded.postgres import DATABASE, Postgres
from config.embedded.valkey import Valkey
from tests.processes import HOST, ROOT, Running, kill, start_daphne, start_scheduler, start_worker

USERS = ("alice", "bob", "vera", "admin")
PROJECTS = {
    "small": {"images": 3, "size": 64, "polygons": 3},
    "big": {"images": 40, "size": 1024, "polygons": 100},
}
"""How large; the big one takes some seconds to export, so that a fault meets it under way."""

SETTINGS = {
    "SECRET_KEY": "only-for-a-stack-of-the-tests",
    "DEBUG": "false",
    "ALLOWED_HOSTS": f"localhost,{HOST}",
    "SECURE_SSL_REDIRECT": "no",
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "LOG_LEVEL": "INFO",
    "SUPERVISED": "true",
    "PYTHONUNBUFFERED": "1",
}


class Answer(NamedTuple):
    """`status` is None when there was no answer."""

    status: int | None
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Person:
    id: int
    token: str
    """For `Authorization: Bearer`."""
    session: str
    """For the cookie `sessionid`."""


@dataclass
class Stack:
    data_dir: Path
    environment: dict[str, str]
    """For further children."""
    postgres: Postgres
    valkey: Valkey
    users: dict[str, Person] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    """Ids by name."""
    workers: list[Running] = field(default_factory=list)
    scheduler: Running = field(init=False)
    web: Running = field(init=False)

    @property
    def url(self) -> str:
        return self.web.url

    @property
    def stream_url(self) -> str:
        return self.web.stream_url

    def exports(self, project: str) -> str:
        """The path under which the exports of a project, by name, are started."""
        return f"/api/projects/{self.projects[project]}/export"

    def call(
        self, method: str, path: str, token: str | None = None, body: object = None, **more: Any
    ) -> Answer:
        """Ask the web server, as `call` does."""
        return call(self.url, method, path, token, body, **more)

    def sql(self, statement: str, parameters: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """Rows of one statement on a connection of its own."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> Redis:
        return Redis.from_url(self.environment["REDIS_URL"], socket_timeout=5)

    def restart(self, program: Running) -> None:
        """Kill the program if it still runs and start it again; a web server keeps its address."""
        program.kill()
        program.start()

    def kill_postgres(self) -> None:
        """kill -9 of all its processes at once, as a power cut does."""
        process = self.postgres._process
        assert process is not None
        backends = psutil.Process(process.pid).children()
        process.kill()
        for backend in backends:
            with suppress(psutil.NoSuchProcess):
                backend.kill()
        process.wait()

    def start_postgres(self) -> None:
        self.postgres.start()

    def kill_redis(self) -> None:
        kill(self.valkey)

    def start_redis(self) -> None:
        self.valkey.start()


@contextmanager
def stack(
    *,
    workers: int = 2,
    sweep_seconds: int = 1,
    environment: Mapping[str, str] | None = None,
    users: Sequence[str] = USERS,
    projects: Mapping[str, Mapping[str, int]] = PROJECTS,
    export_megabytes: int | None = None,
) -> Iterator[Stack]:
    """The whole hub, answering. The first of `users` owns all `projects`; "admin" is a superuser.

    `export_megabytes` puts archives on a file system of that size, where `can_mount` says that it works.
    """
    with ExitStack() as rooms:
        data_dir = rooms.enter_context(_folder())
        if export_megabytes:
            rooms.enter_context(_small_disk(data_dir / "exports", export_megabytes))
        hub = rooms.enter_context(_servers(data_dir, environment or {}))
        _seed(hub, users, projects)
        started = [start_worker(hub.environment) for _ in range(workers)]
        hub.workers = [rooms.enter_context(each) for each in started]
        hub.scheduler = rooms.enter_context(start_scheduler(hub.environment, sweep_seconds))
        hub.web = rooms.enter_context(start_daphne(0, hub.environment))
        # All at once, so that their own ends, one after the other, find them ended.
        rooms.callback(_ask_to_stop, [*hub.workers, hub.scheduler, hub.web])
        yield hub


def call(
    url: str,
    method: str,
    path: str,
    token: str | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
) -> Answer:
    """Ask once, with a JSON body unless `body` is None, on a connection of its own."""
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        sent["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {**sent, **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except (OSError, http.client.HTTPException):
        return Answer(None, Message(), b"")
    finally:
        connection.close()


@contextmanager
def _folder() -> Iterator[Path]:
    """One that the user of PostgreSQL may enter too."""
    folder = Path(tempfile.mkdtemp(prefix="exports-stack-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def can_mount() -> bool:
    """Whether this account may mount a small file system."""
    with tempfile.TemporaryDirectory(prefix="exports-mount-") as folder:
        try:
            with _small_disk(Path(folder) / "disk", 1):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


@contextmanager
def _servers(data_dir: Path, changes: Mapping[str, str]) -> Iterator[Stack]:
    """PostgreSQL and Valkey as `up` runs them: what they have confirmed survives a kill."""
    found = addresses(data_dir)
    prepare_socket_folder(data_dir)
    hub = Stack(
        data_dir,
        _environment(data_dir, found.postgres_socket_folder, found.redis_url) | dict(changes),
        Postgres(data_dir, found.postgres_socket_folder, lambda _: None, durable=True),
        Valkey(data_dir, found.redis_socket, lambda _: None, durable=True),
    )
    try:
        hub.start_postgres()
        hub.start_redis()
        yield hub
    finally:
        hub.valkey.stop()
        hub.postgres.stop()
        found.redis_socket.unlink(missing_ok=True)
        remove_socket_folder(data_dir)


def _environment(data_dir: Path, postgres_folder: Path, redis_url: str) -> dict[str, str]:
    host = quote(str(postgres_folder), safe="")
    own = {
        "DATABASE_URL": f"postgres://postgres@{host}:5432/{DATABASE}",
        "REDIS_URL": redis_url,
        "DATA_DIR": str(data_dir),
    }
    return os.environ | SETTINGS | own


def _seed(hub: Stack, users: Sequence[str], projects: Mapping[str, Mapping[str, int]]) -> None:
    command = (sys.executable, "-m", "tests.seeding", json.dumps(users), json.dumps(projects))
    made = subprocess.run(command, cwd=ROOT, env=hub.environment, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-3000:]
    seed = json.loads(made.stdout.splitlines()[-1])
    hub.users = {name: Person(**keys) for name, keys in seed["users"].items()}
    hub.projects = seed["projects"]


def _ask_to_stop(programs: Sequence[Running]) -> None:
    for program in programs:
        if program.process.poll() is None:
            program.process.send_signal(signal.SIGCONT)
            program.process.terminate()
