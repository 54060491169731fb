"""Make sure that there is a Chromium for the browser tests: `python -m tests.browser.install`.

Firefox is installed beside it where that is easy; without one its few tests are skipped.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300")
SHELL = "chromium-headless-shell"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FIREFOX_NAMES = ("firefox-esr", "firefox")


def main() -> int:
    if not firefox() and _is_debian():
        apt_install("firefox-esr")  # 80 MB, ten seconds
    if not shutil.which(SHELL) and _is_debian():
        apt_install(SHELL)
    if chromium():
        return 0
    print("Installing Chromium for the browser tests.")
    apt_install("chromium")
    if not chromium():
        _run(sys.executable, "-m", "playwright", "install", "chromium")
    if chromium():
        return 0
    print(
        "No Chromium was found and none could be installed: install the package chromium of your system, "
        "or run `.venv/bin/python -m playwright install chromium`.",
        file=sys.stderr,
    )
    return 1


def apt_install(*packages: str) -> bool:
    """Whether this is a place where it may be tried: root on Debian."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    _run(*APT, "update", "-qq")
    _run(*APT, "install", "-y", "-qq", "--no-install-recommends", *packages)
    return True


def chromium() -> str | None:
    """The path of the system's Chromium or, without one, of Playwright's own."""
    installed = next(filter(None, map(shutil.which, SYSTEM_NAMES)), None)
    return installed or _playwrights_own()


def chromium_shell() -> str | None:
    """Chromium without the parts that nobody sees, which costs a third less; the whole one where there is none.

    It keeps no page for the way back.
    """
    return shutil.which(SHELL) or chromium()


def firefox() -> str | None:
    """The path of the system's Firefox."""
    return next(filter(None, map(shutil.which, FIREFOX_NAMES)), None)


def _is_debian() -> bool:
    """Where `firefox-esr` is a package; elsewhere asking for it would take time at every run."""
    return Path("/etc/debian_version").exists() and platform.freedesktop_os_release()["ID"] == "debian"


def _playwrights_own() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _run(*command: str) -> None:
    """Failure is not the end: the next way is tried, and `main` looks at what is there."""
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, timeout=900, check=False)


if __name__ == "__main__":
    sys.exit(main())
