from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from config import embedded

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "SUPERVISED",
    "DATA_DIR",
    "PORT",
    "HOST",
}
UP = (sys.executable, "manage.py", "up")
START_SECONDS = 120.0
STOP_SECONDS = 15.0


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One for all tests here: only the first start has to load the demo project."""
    folder = Path(tempfile.mkdtemp(prefix="exports-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(embedded.addresses(folder / "var").redis_socket.parent, ignore_errors=True)
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """What a person's shell has: nothing of what the tests' own servers need."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return inherited | {"DATA_DIR": str(data_dir), "PORT": str(free_port()), "WORKERS": "1"} | more


def refusal(data_dir: Path, **more: str) -> tuple[int, str]:
    ended = subprocess.run(
        UP,
        cwd=ROOT,
        env=environment(data_dir, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


class Site:
    def __init__(self, process: subprocess.Popen[str], port: str) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []

    def wait_until_ready(self) -> None:
        """Reads what is printed; a start that never gets ready is killed and so ends the reading."""
        assert self.process.stdout is not None
        alarm = threading.Timer(START_SECONDS, self.process.kill)
        alarm.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Ready:"):
                break
        alarm.cancel()
        assert self.lines[-1].startswith("Ready:"), self.lines

    def family(self) -> list[psutil.Process]:
        members: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return members

    def member(self, word: str) -> psutil.Process:
        return next(child for child in self.family() if word in child.cmdline())

    def successor(self, killed: psutil.Process, word: str) -> psutil.Process:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for child in self.family():
                if child.pid != killed.pid and word in child.cmdline():
                    return child
        raise AssertionError(f"{word} did not come back")

    def readiness(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=30) as answer:
            return int(answer.status)


@contextmanager
def site(data_dir: Path, command: Sequence[str] = UP, **more: str) -> Iterator[Site]:
    variables = environment(data_dir, **more)
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        started = Site(process, variables["PORT"])
        try:
            started.wait_until_ready()
            yield started
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def test_the_site_is_ready_and_answers(data_dir: Path) -> None:
    with site(data_dir) as up:
        assert up.lines[-1] == f"Ready: http://127.0.0.1:{up.port}/  (user demo, password demo)"
        assert up.readiness() == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_in_time_and_leaves_no_process(
    data_dir: Path, number: signal.Signals
) -> None:
    with site(data_dir) as up:
        family = up.family()
        began = time.monotonic()
        up.process.send_signal(number)
        assert up.process.wait(STOP_SECONDS + 5) == 0
        assert time.monotonic() - began < STOP_SECONDS
    assert not any(process.is_running() for process in family)


def test_a_second_start_keeps_the_data(data_dir: Path) -> None:
    with site(data_dir):
        pass
    with site(data_dir) as up:
        assert not any("Demo project loaded" in line or "cluster created" in line for line in up.lines)
        assert up.readiness() == 200


def test_the_next_start_survives_kill_9_of_the_supervisor(data_dir: Path) -> None:
    with site(data_dir) as up:
        family = up.family()
        up.process.kill()
    assert psutil.wait_procs(family, timeout=10)[1] == []
    with site(data_dir) as up:
        assert up.readiness() == 200


def test_kill_9_of_make_takes_everything_along(data_dir: Path) -> None:
    make = ("/bin/sh", "-c", f"{shlex.join(UP)}; exit $?")
    with site(data_dir, make, MAKELEVEL="1") as up:
        family = up.family()
        up.process.kill()
    assert psutil.wait_procs(family, timeout=10)[1] == []


@pytest.mark.parametrize("word", ["config.web", "rqworker", "sweep_exports"])
def test_a_killed_program_comes_back(data_dir: Path, word: str) -> None:
    with site(data_dir) as up:
        killed = up.member(word)
        killed.kill()
        assert "was killed by SIGKILL; starting it again now" in next(iter(up.process.stdout or []))
        assert up.successor(killed, word).is_running()
        assert up.readiness() == 200


def test_a_killed_postgres_comes_back(data_dir: Path) -> None:
    with site(data_dir) as up:
        up.member("-D").kill()
        printed = (line for line in up.process.stdout or [] if line.startswith("PostgreSQL started"))
        assert next(printed, None) is not None


def test_a_command_finds_the_servers_that_up_runs(data_dir: Path) -> None:
    with site(data_dir):
        shown = subprocess.run(
            [sys.executable, "manage.py", "showmigrations", "--plan"],
            cwd=ROOT, env=environment(data_dir), capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert "[X]  exports.0001_initial" in shown.stdout
    assert "started" not in shown.stderr


def test_a_command_starts_the_servers_when_none_runs(data_dir: Path) -> None:
    with site(data_dir):
        pass
    shown = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "--plan"],
        cwd=ROOT, env=environment(data_dir), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "[X]  exports.0001_initial" in shown.stdout
    assert "PostgreSQL stopped." in shown.stderr


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = (
            f"Port {port} on 127.0.0.1 is in use by another program: stop it, or choose another PORT.\n"
        )
        assert refusal(tmp_path, PORT=str(port)) == (1, sentence)
    assert not (tmp_path / "postgres").exists()


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "var"
    assert refusal(place) == (1, f"DATA_DIR {place} cannot be used: Not a directory.\n")


@pytest.mark.parametrize(("name", "value"), [("PORT", "many"), ("WORKERS", "0"), ("DEBUG", "perhaps")])
def test_a_setting_without_sense_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    code, said = refusal(tmp_path, **{name: value})
    assert code == 1
    assert said.startswith(f"{name} must be ")
    assert said.count("\n") == 1


def test_production_without_a_key_is_refused(tmp_path: Path) -> None:
    code, said = refusal(tmp_path, DEBUG="false", ALLOWED_HOSTS="example.org")
    assert (code, said.split(" ")[0]) == (1, "SECRET_KEY")


def test_known_passwords_are_not_served_to_others(data_dir: Path) -> None:
    with site(data_dir):
        pass
    code, said = refusal(data_dir, DEBUG="false", ALLOWED_HOSTS="example.org", SECRET_KEY="k" * 50)
    assert code == 1
    assert "This database holds the demo users, whose passwords everyone knows" in said
