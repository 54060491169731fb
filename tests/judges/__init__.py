"""Other people's programs, asked what they make of our files.

Heavy ones live in `.venv-judges`, which `make judges` fills; tests that need one are skipped without. A script in
this folder is run by that room's Python, prints its answer as JSON and imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
PYTHON = FOLDER.parents[1] / ".venv-judges/bin/python"
IMAGEJ = Path(os.environ.get("IMAGEJ_JAR", "/usr/share/java/ij.jar"))

needs_judges = pytest.mark.skipif(
    not (PYTHON.parents[1] / "stamp").exists(), reason="needs programs that `make judges` installs"
)
needs_ultralytics = pytest.mark.skipif(
    not any(PYTHON.parents[1].glob("lib/python*/site-packages/ultralytics")),
    reason="needs ultralytics and its torch in .venv-judges, gigabytes that `make judges` leaves out",
)
needs_java = pytest.mark.skipif(
    not shutil.which("javac"), reason="needs a JDK, which `make judges` installs where it may"
)
needs_imagej = pytest.mark.skipif(
    not IMAGEJ.exists() or not shutil.which("javac"),
    reason="needs ImageJ and a JDK, which `make judges` installs where it may; or IMAGEJ_JAR",
)
needs_7z = pytest.mark.skipif(
    not shutil.which("7z"), reason="needs 7z, which `make judges` installs where it may"
)


# Left in the moment it is done: Arrow's threads at times bring down a busy machine's Python on its way out.
_LAUNCH = """
import os, runpy, sys
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
sys.stdout.flush()
os._exit(0)
"""


def ask(script: str, *arguments: str | Path) -> Any:
    """What `<script>.py` of this folder prints; raise AssertionError with its complaint when it fails."""
    return _answer([FOLDER / f"{script}.py", *arguments])


def run_code(code: str, folder: Path) -> str:
    """What a piece of Python prints in the judges' room, run inside `folder`."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as program:
        program.write(code)
        program.flush()
        return _output([program.name], folder)


def _answer(arguments: list[str | Path]) -> Any:
    return json.loads(_output(arguments, FOLDER).splitlines()[-1])


def _output(arguments: list[str | Path], folder: Path) -> str:
    quiet = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "agg"}
    ended = subprocess.run(
        [PYTHON, "-c", _LAUNCH, *arguments],
        cwd=folder,
        env=quiet,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
