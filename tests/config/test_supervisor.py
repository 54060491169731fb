from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from config.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parents[2]
FOREVER = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
# A supervisor in a process of its own, to be killed.
SUPERVISE = f"""
import os, pathlib, sys, time
from config.supervisor import Program, Supervisor
forever = Program("one", (sys.executable, "-c", {FOREVER!r}), 1, os.environ)
logs = pathlib.Path(sys.argv[1])
Supervisor([[forever]], folder=logs, logs=logs, log=print).start()
print("started", flush=True)
time.sleep(600)
"""


def program(name: str, code: str, stop_seconds: float = 5) -> Program:
    return Program(name, (sys.executable, "-c", code), stop_seconds, os.environ)


@contextmanager
def supervised(logs: Path, *groups: list[Program]) -> Iterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    supervisor = Supervisor(groups, folder=logs, logs=logs, log=said.append)
    try:
        supervisor.start()
        yield supervisor, said
    finally:
        supervisor.stop()


def until(condition: Callable[[], object], supervisor: Supervisor) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        supervisor.keep_running()


def children() -> list[psutil.Process]:
    """The programs; the servers of the tests are children too."""
    return [child for child in psutil.Process().children() if {FOREVER, STUBBORN} & set(child.cmdline())]


def test_a_program_that_ends_with_code_0_starts_again(tmp_path: Path) -> None:
    with supervised(tmp_path, [program("one", "pass")]) as (supervisor, said):
        until(lambda: said, supervisor)
    assert said == [f"one ended with code 0; starting it again now (see {tmp_path / 'one.log'})."]


def test_a_killed_program_starts_again(tmp_path: Path) -> None:
    with supervised(tmp_path, [program("one", FOREVER)]) as (supervisor, said):
        until(children, supervisor)
        children()[0].kill()
        until(lambda: said and children(), supervisor)
        assert said[0].startswith("one was killed by SIGKILL; starting it again now")


def test_a_program_that_keeps_ending_early_waits_longer_each_time(tmp_path: Path) -> None:
    with supervised(tmp_path, [program("one", "raise SystemExit(3)")]) as (supervisor, said):
        until(lambda: len(said) == 3, supervisor)
    pauses = [sentence.split("starting it again ")[1].split(" (")[0] for sentence in said]
    assert pauses == ["now", "in 1 s", "in 2 s"]


def test_what_a_program_printed_before_its_end_is_kept(tmp_path: Path) -> None:
    with supervised(tmp_path, [program("one", "print('last words')")]) as (supervisor, said):
        until(lambda: said, supervisor)
    assert (tmp_path / "one.previous").read_text() == "last words\n"


def test_stopping_leaves_no_process_and_starts_none_again(tmp_path: Path) -> None:
    with supervised(tmp_path, [program("one", FOREVER)], [program("two", FOREVER)]) as (supervisor, said):
        until(lambda: len(children()) == 2, supervisor)
    supervisor.keep_running()
    assert children() == []
    assert said == []


def test_a_program_that_ignores_sigterm_is_killed_after_its_time(tmp_path: Path) -> None:
    with supervised(tmp_path, [program("deaf", STUBBORN, stop_seconds=0.2)]) as (supervisor, _):
        until(lambda: (tmp_path / "deaf.log").read_text(), supervisor)
        began = time.monotonic()
    assert 0.2 <= time.monotonic() - began < 5
    assert children() == []


def test_kill_9_of_the_supervisor_takes_its_programs_along(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISE, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"started\n"
        started = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.kill()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert len(started) == 1
    assert alive == []
