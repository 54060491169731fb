"""The short form of `make chaos`: real programs, seeded faults, and a history in which nothing is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.chaos.checker import summary
from tests.chaos.history import read
from tests.processes import ROOT

LONGEST_SECONDS = 300


def chaos(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    length = ("--seconds", "25", "--every", "2", "--seed", "1")
    command = (sys.executable, "-m", "tests.chaos", *length, "--keep", str(folder), *arguments)
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=LONGEST_SECONDS
    )


def test_no_promise_is_broken_under_faults(tmp_path: Path) -> None:
    run = chaos(tmp_path)

    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    counted = summary(read(tmp_path / "history-1.jsonl"))
    assert counted["exports"] >= 20
    assert counted["cancels acked"] >= 10
    assert counted["refused after cancel"] >= 20
    assert counted["frames"] >= 50
    assert counted["faults in all"] >= 5


def test_a_build_that_answers_before_it_commits_is_found(tmp_path: Path) -> None:
    run = chaos(tmp_path, "--broken", "ack-before-commit")

    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "VIOLATIONS: G" in run.stdout
