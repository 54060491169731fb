"""What starts, what is refused at the start, and what is left when it ends."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.config.sites import ROOT, STOP_SECONDS, UP, environment, new_data_dir, refusal, site


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with new_data_dir() as folder:
        yield folder


@pytest.fixture(scope="module")
def used(data_dir: Path) -> Path:
    """A folder in which it ran before."""
    with site(data_dir):
        return data_dir


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


def test_a_second_start_keeps_the_data(used: Path) -> None:
    with site(used) as up:
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


def test_a_command_starts_the_servers_when_none_runs(used: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "--plan"],
        cwd=ROOT, env=environment(used), capture_output=True, text=True, check=True,
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


def test_known_passwords_are_not_served_to_others(used: Path) -> None:
    code, said = refusal(used, DEBUG="false", ALLOWED_HOSTS="example.org", SECRET_KEY="k" * 50)
    assert code == 1
    assert "This database holds the demo users, whose passwords everyone knows" in said
