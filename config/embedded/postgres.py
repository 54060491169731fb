"""The embedded PostgreSQL: the binaries of a wheel, a cluster of our own, one Unix socket, no TCP."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from config import processes
from config.embedded.installation import Installation
from config.embedded.places import EmbeddedServerError, explained

DATABASE = "exports"
START_SECONDS = 60.0
STOP_SECONDS = 3.0
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    name = "PostgreSQL"

    def __init__(
        self, data_dir: Path, socket_folder: Path, log: Callable[[str], None], *, durable: bool
    ) -> None:
        self._installation = Installation(data_dir, log)
        self._output = data_dir / "logs" / "postgresql.log"
        self._sockets = socket_folder
        self._log = log
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def is_ours(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        return self._opens(DATABASE)

    def _opens(self, database: str) -> bool:
        if not (self._sockets / ".s.PGSQL.5432").exists():
            return False
        import psycopg  # a quarter of a second that only those pay who need it

        try:
            psycopg.connect(self._login(database)).close()
        except psycopg.OperationalError:
            return False
        return True

    def _login(self, database: str) -> str:
        """Names every part that PGHOST and its like in the person's shell would otherwise fill."""
        return (
            f"host='{self._sockets}' port=5432 user=postgres dbname={database} "
            "sslmode=disable options='' connect_timeout=3"
        )

    def start(self) -> None:
        account, cluster = self._installation.account(), self._installation.cluster()
        if not (cluster / "PG_VERSION").exists():
            self._initialise(cluster, account)
        if not self._predecessor_serves(cluster):
            _own_folder(self._sockets, account)
            self._process = self._launch(cluster, account)
            self._wait(cluster, account)
        self._create_database()

    def _create_database(self) -> None:
        import psycopg

        with (
            contextlib.suppress(psycopg.errors.DuplicateDatabase),
            psycopg.connect(self._login("postgres"), autocommit=True) as connection,
        ):
            connection.execute(f"CREATE DATABASE {DATABASE}")

    def _initialise(self, cluster: Path, account: pwd.struct_passwd | None) -> None:
        """Under another name first: a killed initdb leaves nothing that looks like a cluster."""
        unfinished = cluster.with_name(cluster.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _own_folder(unfinished, account)
        made = subprocess.run(  # nosec B603  # a list of our own words, no shell
            [
                *(self._installation.binary("initdb"), "--pgdata", unfinished, "--username", "postgres"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"),
                *("--builtin-locale", "C.UTF-8", "--no-instructions"),
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=_environment(),
            preexec_fn=processes.dying_with_parent(signal.SIGKILL),
            **processes.identity(account),
        )
        if made.returncode:
            raise EmbeddedServerError(_sentence(made.stderr))
        unfinished.rename(cluster)
        self._log(f"PostgreSQL database cluster created in {cluster}.")

    def _predecessor_serves(self, cluster: Path) -> bool:
        """Wait while a postgres of this very folder starts up or shuts down; True when it serves."""
        deadline = time.monotonic() + 20.0
        while (owner := _owner(cluster)) is not None:
            if self._opens("postgres"):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Process {owner} already runs PostgreSQL on {cluster}: stop it first."
                )
            time.sleep(0.05)
        return False

    def _launch(self, cluster: Path, account: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
        _disown_reused_pid(cluster)
        (self._sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        settings = [
            f"unix_socket_directories={self._sockets}",
            *("unix_socket_permissions=0700", "listen_addresses=", "max_connections=200"),
            *(() if self._durable else _NOT_DURABLE),
        ]
        return processes.start(
            [self._installation.binary("postgres"), "-D", cluster, "-p", "5432", *_options(settings)],
            output=self._output,
            dies_with_us_by=signal.SIGINT,
            account=account,
            environment=_environment(),
            folder=Path("/"),
        )

    def _wait(self, cluster: Path, account: pwd.struct_passwd | None) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._opens("postgres"):
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(
                    f"PostgreSQL did not answer within {START_SECONDS:.0f} s, see {self._output}."
                )
            if not self.is_ours():
                self._retry_or_explain(cluster, account)
            time.sleep(0.02)

    def _retry_or_explain(self, cluster: Path, account: pwd.struct_passwd | None) -> None:
        """Backends outlive a killed postmaster for a moment and hold its shared memory: come again."""
        printed = self._output.read_text(errors="replace")
        if "pre-existing shared memory block" not in printed:
            raise EmbeddedServerError(_sentence(printed))
        time.sleep(0.2)
        self._process = self._launch(cluster, account)

    def stop(self) -> None:
        if self._process is not None:
            # SIGINT is "fast": sessions are ended, the data are written, nothing to recover.
            processes.stop(self._process, signal.SIGINT, STOP_SECONDS)


def _own_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    with explained(f"The folder {folder} cannot be made"):
        folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)


def _options(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("-c", setting)]


def _environment() -> dict[str, str]:
    """Without PGPORT, PGDATA and the like of the person's shell."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _owner(cluster: Path) -> int | None:
    """The process that `postmaster.pid` names, if it really is a postgres of this cluster."""
    pid = _recorded_pid(cluster)
    command = processes.command_line(pid) if pid else []
    is_postgres = bool(command) and Path(command[0]).name == "postgres" and str(cluster) in command
    return pid if is_postgres else None


def _recorded_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _disown_reused_pid(cluster: Path) -> None:
    """PostgreSQL would not start while a stranger's process has the number that a killed one left behind.

    It takes its own parent's number as stale, and then still checks the shared memory that the file
    names; removing the file would skip that check (CreateLockFile in miscinit.c).
    """
    path = cluster / "postmaster.pid"
    if _recorded_pid(cluster) is None:
        path.unlink(missing_ok=True)
        return
    rest = path.read_text().split("\n", 1)[1:]
    with path.open("r+") as file:
        file.write("\n".join([str(os.getpid()), *rest]))
        file.truncate()


def _sentence(printed: str) -> str:
    """What PostgreSQL said, as one sentence."""
    if "No space left on device" in printed:
        return "PostgreSQL cannot write: the disk is full."
    lines = [
        line for line in printed.splitlines() if any(mark in line for mark in ("FATAL", "PANIC", "error:"))
    ]
    return (
        f"PostgreSQL did not start: {(lines or printed.splitlines() or ['it printed nothing'])[-1].strip()}"
    )
