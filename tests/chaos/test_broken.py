"""Every broken build breaks what it says: a seam that has gone is found at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.chaos.broken import BUILDS
from tests.chaos.broken_builds import replace
from tests.processes import ROOT

ALL = "import django; django.setup(); from tests.chaos.broken import BUILDS; [each.patch() for each in BUILDS.values()]"


def start(name: str, program: str = "import django; django.setup()") -> subprocess.CompletedProcess[str]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.chaos.broken_settings", "BROKEN": name}
    command = (sys.executable, "-c", program)
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, check=False, capture_output=True, text=True
    )


def test_every_build_finds_what_it_breaks() -> None:
    started = start(next(iter(BUILDS)), ALL)

    assert started.returncode == 0, started.stderr


def test_an_unknown_build_is_refused() -> None:
    assert "BROKEN must be one of no-fence, no-lock" in start("no-nothing").stderr


def test_a_build_does_not_start_whole() -> None:
    with pytest.raises(ImproperlyConfigured, match="has no cancel any more"):
        replace(SimpleNamespace(__name__="lifecycle"), "cancel", lambda original: original)
