"""`python -m tests.mutants`: each mutant in a copy of the tree; 1 as exit code when one survives its tests.

First the same tests run on the tree as it is: what fails there says nothing of a mutant.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import ROOT, Mutant

PASSED, FAILED = 0, 1  # pytest's exit codes; FAILED also when a fixture could not be made
AT_ONCE = 2
LONGEST, LONGEST_OF_ALL, ENDING = 240.0, 1800.0, 30.0  # seconds
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SUMMARY = "FAILED "  # one that pytest could not even begin is an ERROR there
WIDE = "240"  # columns, for the summary to say why


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="", help="mutants with this in their name")
    wanted = parser.parse_args().only
    chosen = [mutant for mutant in MUTANTS if wanted in mutant.name]
    began = time.monotonic()
    if not chosen or not _pass_untouched(chosen):
        return 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        survivors = sum(pool.map(_survives, chosen))
    print(f"{len(chosen)} mutants, {survivors} survived ({time.monotonic() - began:.0f} s).")
    return 1 if survivors else 0


def _pass_untouched(mutants: Sequence[Mutant]) -> bool:
    began = time.monotonic()
    tests = dict.fromkeys(test for mutant in mutants for test in mutant.tests)
    with _copy() as tree:
        code, said = _run(tree, *tests, "-n", str(AT_ONCE), "--dist", "loadfile", seconds=LONGEST_OF_ALL)
        if again := _failed(said):  # perhaps only for want of time: once more, one after the other
            code, said = _run(tree, *again, "-n", "0", seconds=LONGEST_OF_ALL)
    if code != PASSED:
        print("Without any mutant these have to pass:", said, sep="\n")
        return False
    print(f"{len(tests)} tests pass on the tree as it is ({time.monotonic() - began:.0f} s).", flush=True)
    return True


def _survives(mutant: Mutant) -> bool:
    """Whether any of its tests does not fail."""
    began = time.monotonic()
    with _copy() as tree:
        mutant.apply(tree)
        failures = {test: _failure(tree, test) for test in mutant.tests}
    unmoved = [test for test, why in failures.items() if not why]
    verdict = f"SURVIVED {', '.join(unmoved)}" if unmoved else f"found: {'; '.join(failures.values())}"
    print(f"{mutant.name} ({time.monotonic() - began:.0f} s) {verdict}", flush=True)
    return bool(unmoved)


@contextmanager
def _copy() -> Iterator[Path]:
    """The tree as it is, changes that are not committed included."""
    with tempfile.TemporaryDirectory(prefix="exports-mutant-") as folder:
        tree = Path(folder) / "tree"
        listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        (tree / ".venv").symlink_to(ROOT / ".venv")
        yield tree


def _failure(tree: Path, test: str) -> str:
    """Why it fails there; empty when it passes, and when it does not come to run."""
    code, said = _run(tree, "-x", "-n", "0", test, seconds=LONGEST)
    if code is None:
        return "it hangs"
    return next(iter(_failed(said).values()), "") if code == FAILED else ""


def _failed(said: str) -> dict[str, str]:
    """The tests that pytest's summary names, and why they failed."""
    lines = [line.removeprefix(SUMMARY) for line in said.splitlines() if line.startswith(SUMMARY)]
    return {test: why or "it fails" for test, _, why in (line.partition(" - ") for line in lines)}


def _run(tree: Path, *arguments: str, seconds: float) -> tuple[int | None, str]:
    """pytest's exit code, None when it did not end in time, and what it printed."""
    wide = os.environ | {"COLUMNS": WIDE}
    with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open for as long as any child lives
        process = subprocess.Popen((*PYTEST, *arguments), cwd=tree, env=wide, stdout=output, stderr=output)
        code = _ended(process, seconds)
        output.seek(0)
        return code, output.read()


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """One that hangs is interrupted first, so that it stops what it has started."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return None


if __name__ == "__main__":
    sys.exit(main())
