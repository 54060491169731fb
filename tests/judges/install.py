"""Install the judges that are no Python packages: `python -m tests.judges.install`."""

from __future__ import annotations

import shutil
import sys

from tests.browser.install import apt_install
from tests.judges import IMAGEJ

PROGRAMS = {"javac": "default-jdk-headless", "unzip": "unzip", "7z": "p7zip-full"}


def main() -> int:
    """Nothing that is missing is an error: its tests are skipped and say so."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if not IMAGEJ.exists():
        missing.append("libij-java")
    if missing and not apt_install(*missing):
        print(
            f"Missing, and only root on Debian can install them here: {' '.join(missing)}.", file=sys.stderr
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
