from __future__ import annotations

import pytest

from tests.browser import install


def test_an_installed_chromium_is_found_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    assert install.main() == 0
    assert capfd.readouterr() == ("", "")


def test_a_machine_without_chromium_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(install, "chromium", lambda: None)
    monkeypatch.setattr(install, "_run", lambda *command: tried.append(" ".join(command)))
    assert install.main() == 1
    assert tried[-1].endswith("playwright install chromium")
    assert "install the package chromium" in capfd.readouterr().err
