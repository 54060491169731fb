"""Child processes that die with us: kill -9 of the parent leaves nobody behind (Linux)."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TypedDict

PR_SET_PDEATHSIG = 1
LONGEST_LOG_BYTES = 20_000_000
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Identity(TypedDict, total=False):
    """The arguments of Popen that say as whom."""

    user: int
    group: int
    extra_groups: list[int]


def start(
    command: Sequence[str | Path],
    *,
    output: Path,
    dies_with_us_by: signal.Signals = signal.SIGKILL,
    account: pwd.struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own, so that the terminal's Ctrl-C does not reach it.

    `output` takes what it prints; what the run before printed is kept beside it as `*.previous`.
    Call this from a thread that lives as long as the process: the kernel watches the thread.
    """
    with _fresh_log(output) as log:
        return subprocess.Popen(  # nosec B603  # a list of our own words, no shell
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            pass_fds=inherited,
            start_new_session=True,
            preexec_fn=dying_with_parent(dies_with_us_by),
            **identity(account),
        )


def _fresh_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_suffix(".previous"))
    return path.open("ab")  # whoever writes goes on at its end, also after it was emptied


def bound_logs(folder: Path, most_bytes: int = LONGEST_LOG_BYTES) -> None:
    """Empty what has grown too long, and keep what it held beside it; lines of that very moment may be lost.

    A program and its children write to one open file: renaming it would not make them open another.
    """
    for path in folder.glob("*.log"):
        with suppress(OSError):
            if path.stat().st_size > most_bytes:
                with suppress(OSError):  # a full disk: what is emptied makes room
                    shutil.copyfile(path, path.with_suffix(".previous"))
                os.truncate(path, 0)


def dying_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """What the child calls before it becomes the program."""
    parent = os.getpid()
    return lambda: die_with(parent, death_signal)


def die_with(parent: int, death_signal: signal.Signals) -> None:
    """Ask the kernel to send us the signal when our parent ends, in whatever way."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def identity(account: pwd.struct_passwd | None) -> Identity:
    """To run a command as the account; nothing for our own."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def stop(process: subprocess.Popen[bytes], polite: signal.Signals, seconds: float) -> None:
    """Send `polite`, wait at most `seconds`, then kill."""
    if process.poll() is None:
        process.send_signal(polite)
        wait_or_kill(process, seconds)


def wait_or_kill(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def command_line(pid: int) -> list[str]:
    """The command that a process runs; empty when there is no such process or it is a zombie."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[:-1]
        except OSError:
            return []
    ask = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    asked = subprocess.run(ask, check=False, capture_output=True, text=True)  # nosec B603  # no shell
    return asked.stdout.split()
