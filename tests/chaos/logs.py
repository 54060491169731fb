"""What the programs print, read while they run: a restart throws the log before the last one away."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from pathlib import Path
from typing import IO

from tests.chaos.course import Course, now

COUNTED = {
    "refused_writes": re.compile(r"(?=.*export_left_alone).*no longer this attempt's"),
    "deliveries_left_alone": re.compile(r"(?=.*export_left_alone).*cannot become"),
}
UNEXPECTED = re.compile(r"request_failed|stream_failed|Internal Server Error")
"""In the web server's log: what is nobody's fault but ours."""
EVERY_SECONDS = 0.5


class Logs:
    """Follows the logs of a folder; an open file is read to its end also when it has been renamed."""

    def __init__(self, course: Course, folder: Path) -> None:
        self._course, self._folder = course, folder
        self._lock = threading.Lock()
        self._open: dict[Path, IO[str]] = {}
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))

    def live(self) -> None:
        while not self._course.over.is_set():
            self.read()
            self._course.pause(EVERY_SECONDS)

    def read(self) -> None:
        with self._lock:
            for path in self._folder.glob("*.log"):
                if path.stem.startswith(("web", "worker", "scheduler")):
                    self._read(path)

    def _read(self, path: Path) -> None:
        if path not in self._open:
            self._open[path] = path.open(errors="replace")
        for line in self._open[path]:
            self._weigh(path.stem, line)
        if _was_renamed(path, self._open[path]):
            self._open.pop(path).close()

    def _weigh(self, program: str, line: str) -> None:
        for name, pattern in COUNTED.items():
            self.counts[name] += bool(pattern.search(line))
        if program == "web" and UNEXPECTED.search(line):
            self._course.note("log", t1=now(), program=program, line=line.strip()[:2000])


def _was_renamed(path: Path, reader: IO[str]) -> bool:
    return path.exists() and path.stat().st_ino != os.fstat(reader.fileno()).st_ino
