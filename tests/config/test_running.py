"""While it runs: what dies comes back, and commands find its servers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.config.sites import ROOT, Site, environment, new_data_dir, site
from tests.waiting import until


@pytest.fixture(scope="module")
def up() -> Iterator[Site]:
    with new_data_dir() as data_dir, site(data_dir) as running:
        yield running


def said(up: Site, part: str) -> bool:
    """Reads on until a line has that part."""
    return any(part in line for line in up.process.stdout or [])


def test_the_site_is_ready_and_answers(up: Site) -> None:
    assert up.lines[-1] == f"Ready: http://127.0.0.1:{up.port}/  (user demo, password demo)"
    assert up.readiness() == 200


def test_a_command_finds_the_servers_that_up_runs(up: Site) -> None:
    shown = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "--plan"],
        cwd=ROOT, env=environment(up.data_dir), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "[X]  exports.0001_initial" in shown.stdout
    assert "started" not in shown.stderr


@pytest.mark.parametrize("word", ["config.web", "rqworker", "sweep_exports"])
def test_a_killed_program_comes_back(up: Site, word: str) -> None:
    killed = up.member(word)
    killed.kill()
    assert said(up, "was killed by SIGKILL; starting it again now")
    assert up.successor(killed, word).is_running()
    assert up.readiness() == 200


def test_a_killed_postgres_comes_back(up: Site) -> None:
    up.member("-D").kill()
    assert said(up, "PostgreSQL started")
    until(lambda: up.readiness() == 200, seconds=30)
