"""A process that opens stored files one after the other: `python -m tests.imagefiles.opened FOLDER [BYTES]`.

It prints a line of JSON for each: its name, what came of it, seconds, and how many bytes more than before the process
held meanwhile. With BYTES, it may take no more than these beyond what it starts with.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import monotonic

from imagefiles.display import for_display
from imagefiles.headers import UnreadableImage, read_stored


def main(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        Path("/proc/self/clear_refs").write_text("5")  # the most that was held is what is held now
        before, started = _most_memory(), monotonic()
        outcome = _outcome(path)
        grown, seconds = _most_memory() - before, monotonic() - started
        print(json.dumps([path.name, outcome, seconds, grown]), flush=True)


def allow(more_bytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _outcome(path: Path) -> str:
    try:
        header = read_stored(path)
        for_display(path, width=header.width, height=header.height)
    except UnreadableImage as error:
        return f"unreadable: {error}"
    return "shown"


def _most_memory() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    for limit in sys.argv[2:]:
        allow(int(limit))
    main(Path(sys.argv[1]))
