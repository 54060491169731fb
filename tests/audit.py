"""Known holes in the pinned packages: `python -m tests.audit`, which `make check` runs.

pip-audit says of a package that its list does not know, and of one when no list can be reached, the same. So it counts
as reached when at least one package was found in it; the Python Packaging Index knows nearly all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

LISTS = ("requirements.txt", "requirements-dev.txt")
COMMAND = (
    *("-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10"),
    *("--format", "json", *(word for name in LISTS for word in ("--requirement", name))),
)


class Verdict(NamedTuple):
    sentence: str
    is_bad: bool


def verdict(said: str, complaint: str) -> Verdict:
    """Of what pip-audit printed on its two streams."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _of_failure(complaint)
    holes = [(each["name"], hole["id"]) for each in packages for hole in each.get("vulns", [])]
    known = [each for each in packages if "vulns" in each]
    unknown = sorted({each["name"] for each in packages} - {each["name"] for each in known})
    if holes:
        return Verdict("Known holes: " + ", ".join(f"{name} {hole}" for name, hole in holes) + ".", True)
    if not known:
        return Verdict("Not audited: the list of known holes cannot be reached from here.", False)
    rest = f" Not in the list: {', '.join(unknown)}." if unknown else ""
    return Verdict(f"No known holes in {len(known)} packages.{rest}", False)


def _of_failure(complaint: str) -> Verdict:
    last = (complaint.strip().splitlines() or ["nothing was said"])[-1]
    if "connect" in last.lower() or "timed out" in last.lower():
        return Verdict("Not audited: the list of known holes cannot be reached from here.", False)
    return Verdict(f"The audit failed: {last}", True)


def main() -> int:
    asked = subprocess.run(
        (sys.executable, *COMMAND),
        cwd=Path(__file__).parents[1],
        check=False,
        capture_output=True,
        text=True,
    )
    found = verdict(asked.stdout, asked.stderr)
    print(found.sentence)
    return int(found.is_bad)


if __name__ == "__main__":
    sys.exit(main())
