"""Where the embedded servers keep their data and their sockets."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

NEEDED_BYTES = 200_000_000


class EmbeddedServerError(Exception):
    """One sentence for the person who starts the program."""


@dataclass(frozen=True)
class Addresses:
    """Where the servers of one data folder listen, whether they run or not."""

    postgres_socket_folder: Path
    redis_socket: Path

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}?db=0"


def addresses(data_dir: Path) -> Addresses:
    """Follow from the user and the data folder alone; nothing is touched or started."""
    folder = _socket_folder(data_dir)
    return Addresses(postgres_socket_folder=folder / "postgres", redis_socket=folder / "redis.sock")


def _socket_folder(data_dir: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    return _temporary_root() / f"exports-{os.getuid()}-{digest}"


def _temporary_root() -> Path:
    """Wherever it can be had the one that is short and the same for every shell, whatever its TMPDIR."""
    short = Path("/tmp")  # noqa: S108  # nosec B108  # the folder made in it is checked to be ours
    return short if os.access(short, os.W_OK) else Path(tempfile.gettempdir())


def prepare_data_dir(data_dir: Path) -> None:
    """Make the data folder, or say why it cannot hold data."""
    with explained(f"DATA_DIR {data_dir} cannot be used"):
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir) as probe:
            probe.write(b"x")
    free = shutil.disk_usage(data_dir).free
    if free < NEEDED_BYTES:
        raise EmbeddedServerError(
            f"The disk that holds DATA_DIR {data_dir} is full: {free // 10**6} MB are free, "
            f"{NEEDED_BYTES // 10**6} MB are needed."
        )


def prepare_socket_folder(data_dir: Path) -> None:
    """Make the folder of the sockets; refuse one that another user could have put there."""
    folder = _socket_folder(data_dir)
    with explained(f"The folder {folder} for the servers' sockets cannot be made"):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedServerError(
            f"{folder} is not a private folder of this user: remove it and start again."
        )
    # As root the server's own account has to pass through.
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def remove_socket_folder(data_dir: Path) -> None:
    """Leave no litter in the temporary folder; a server that still listens keeps its folder."""
    folder = _socket_folder(data_dir)
    with suppress(OSError):
        (folder / "postgres").rmdir()
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an error of the operating system into one sentence that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(f"{what}: {error.strerror or error}.") from error
