"""`python -m tests.chaos`: one run, its table, and 1 as exit code when a guarantee was violated.

With `--broken NAME` it is the other way round: the run has to find what is broken. 2 means that the run itself
went wrong.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.chaos import clients, listeners, report
from tests.chaos.broken import BUILDS
from tests.chaos.cast import Cast, assemble
from tests.chaos.checker import check, summary
from tests.chaos.checks.evidence import Violation
from tests.chaos.course import Course, now
from tests.chaos.editor import Doorkeeper, Editor
from tests.chaos.ending import Ending
from tests.chaos.faults import FAULTS
from tests.chaos.faults.site import Site
from tests.chaos.history import History, Record, read
from tests.chaos.hub import Hub
from tests.chaos.logs import Logs
from tests.chaos.nemesis import Nemesis
from tests.chaos.sampler import Sampler
from tests.chaos.stage import private_hub

PEEK_SECONDS = 8.0
FOUND, WENT_WRONG = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)
    _on_interrupts(signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="chaos-history-") as folder:
        path = Path(folder) / "history.jsonl"
        try:
            mishaps = _run(chosen, path)
        except KeyboardInterrupt:
            print("Stopped.")
            return WENT_WRONG
        except Exception:
            traceback.print_exc()
            return WENT_WRONG
        records = read(path)
        return _judge(chosen, path, records, mishaps)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=1200, help="of faults; the end takes up to a minute more"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--every", type=float, help="seconds from one fault to the next")
    parser.add_argument("--broken", default="", choices=["", *BUILDS], help="take a mechanism out of the hub")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="where the history is kept, violations or not"
    )
    chosen = parser.parse_args(arguments)
    chosen.every = chosen.every or min(10.0, chosen.seconds / 10)
    return chosen


def _run(chosen: argparse.Namespace, path: Path) -> list[str]:
    """What went wrong in this program itself: nothing, one hopes."""
    with History(path) as history:
        course = Course(history, chosen.seed)
        with private_hub(chosen.broken) as hub:
            logs = Logs(course, hub.data_dir / "logs")
            try:
                _play(course, hub, logs, assemble(), chosen)
            finally:
                _on_interrupts(signal.SIG_IGN)  # a second one must not leave anything behind
                course.over.set()
                mishaps = list(course.mishaps)  # what goes wrong while the hub is stopped does not count
        return mishaps


def _on_interrupts(do: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, do)


def _play(course: Course, hub: Hub, logs: Logs, cast: Cast, chosen: argparse.Namespace) -> None:
    editor = Editor(course, cast.projects)
    editor.edit_all()
    ending, peek = Ending(course, hub, logs), _Peek(course.history.path, chosen.broken)
    site = Site(course, hub, cast.staff_cookie)
    nemesis = Nemesis(site, _faults_for(chosen.broken, hub), chosen.every)
    for worker in (logs, Sampler(course, hub), editor, Doorkeeper(course, cast)):
        course.send_off(type(worker).__name__, worker.live)
    clients.send_all(course, hub, cast)
    listeners.send_all(course, hub, cast)
    fighting = course.send_off("nemesis", nemesis.live)
    until = now() + chosen.seconds
    hub.keep(lambda: now() > until or bool(course.mishaps) or peek.sees_enough())
    course.draining.set()
    if course.mishaps or peek.has_seen:
        return
    hub.keep(lambda: not fighting.is_alive())
    ending.heal()
    ending.wait_until_quiet()
    course.end()
    ending.record()


def _faults_for(broken: str, hub: Hub) -> list[str]:
    """By name: those under which a broken build shows, or all; without a disk to fill none that fills it."""
    names = (BUILDS[broken].faults if broken else ()) or tuple(FAULTS)
    return [name for name in names if name != "DF" or hub.has_small_disk]


class _Peek:
    """A broken build is run no longer than it takes to find it out."""

    def __init__(self, path: Path, broken: str) -> None:
        self._path, self._broken, self.has_seen = path, broken, False
        self._due = now() + PEEK_SECONDS

    def sees_enough(self) -> bool:
        if not self._broken or now() < self._due:
            return False
        self._due = now() + PEEK_SECONDS
        self.has_seen = bool(_that_count(check(read(self._path)), self._broken))
        return self.has_seen


def _judge(chosen: argparse.Namespace, path: Path, records: list[Record], mishaps: list[str]) -> int:
    found = check(records)
    title = {"seconds": chosen.seconds, "seed": str(chosen.seed), "broken": chosen.broken or "nothing"}
    print(report.table(title, summary(records)))
    print(report.unexpected(records), report.violations(found), sep="\n")
    if mishaps:
        print(f"The run itself went wrong {len(mishaps)} times; the first:\n{mishaps[0]}")
    if chosen.keep or found or mishaps:
        print(f"The history is in {_kept(path, chosen)}")
    return _verdict(chosen, found, mishaps)


def _kept(path: Path, chosen: argparse.Namespace) -> Path:
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="chaos-kept-"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"history-{chosen.seed}{'-' + chosen.broken if chosen.broken else ''}.jsonl"
    kept.write_bytes(path.read_bytes())
    return kept


def _verdict(chosen: argparse.Namespace, found: list[Violation], mishaps: list[str]) -> int:
    if mishaps:
        return WENT_WRONG
    return FOUND if bool(_that_count(found, chosen.broken)) != bool(chosen.broken) else 0


def _that_count(found: Sequence[Violation], broken: str) -> list[Violation]:
    """All of them, or those by which a broken build is to be found."""
    return [each for each in found if not broken or each.guarantee in BUILDS[broken].shows]


if __name__ == "__main__":
    sys.exit(main())
