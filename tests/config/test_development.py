from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import development


@pytest.fixture(autouse=True)
def fresh_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """monkeypatch notes each variable first, so that what the code sets is taken back too."""
    for name in ("DEBUG", "SECRET_KEY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))


def test_up_begins_in_debug_mode_with_a_private_key(tmp_path: Path) -> None:
    development.begin()
    assert os.environ["DEBUG"] == "true"
    assert len(os.environ["SECRET_KEY"]) >= 50
    assert (tmp_path / "var" / "development_secret_key").stat().st_mode & 0o777 == 0o600


def test_the_key_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    development.begin()
    first = os.environ.pop("SECRET_KEY")
    development.begin()
    assert os.environ["SECRET_KEY"] == first


def test_a_later_command_finds_the_mode_that_up_began(monkeypatch: pytest.MonkeyPatch) -> None:
    development.begin()
    first = os.environ.pop("SECRET_KEY")
    del os.environ["DEBUG"]
    development.resume()
    assert (os.environ["DEBUG"], os.environ["SECRET_KEY"]) == ("true", first)


def test_a_command_in_a_folder_that_up_never_saw_gets_no_key() -> None:
    development.resume()
    assert "SECRET_KEY" not in os.environ
    assert "DEBUG" not in os.environ


def test_debug_false_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    development.begin()
    del os.environ["SECRET_KEY"]
    monkeypatch.setenv("DEBUG", "false")
    development.begin()
    assert "SECRET_KEY" not in os.environ


def test_a_given_key_ends_development_mode_for_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    development.begin()
    del os.environ["DEBUG"]
    monkeypatch.setenv("SECRET_KEY", "given")
    development.resume()
    assert os.environ["SECRET_KEY"] == "given"
    assert "DEBUG" not in os.environ
