"""The page's modules, tested by Node's own runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_test_of_the_module_passes(file: Path) -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("Node.js is not installed: the page's modules are tested in the browser only.")
    run = subprocess.run([node, "--test", str(file)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout
