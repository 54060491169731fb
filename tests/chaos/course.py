"""What all parts of a run share: its history, its seed, and the signs that it comes to an end."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.history import History

now = time.monotonic
LAST_ANSWER_SECONDS = 15
"""More than a client waits for one."""


@dataclass
class Course:
    history: History
    seed: int
    draining: threading.Event = field(default_factory=threading.Event)
    """Set: nobody starts another export."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set: everybody goes home."""
    mishaps: list[str] = field(default_factory=list)
    """Tracebacks of this program's own threads: a run with one proves nothing."""
    threads: list[threading.Thread] = field(default_factory=list)

    def chance(self, name: str) -> random.Random:
        """The same for the same seed and name, whatever the other threads do."""
        return random.Random(f"{self.seed} {name}")

    def note(self, op: str, **fields: object) -> None:
        self.history.note({"op": op, **fields})

    def pause(self, seconds: float) -> None:
        """Shorter when the run ends meanwhile."""
        self.over.wait(seconds)

    def send_off(self, name: str, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._watched, args=(work,), name=name, daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread

    def end(self) -> None:
        """Wait for everybody to have heard the answer to their last question."""
        self.over.set()
        for thread in self.threads:
            thread.join(LAST_ANSWER_SECONDS)
        self.threads.clear()

    def _watched(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException:
            self.mishaps.append(traceback.format_exc())


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Whether the condition came true in time."""
    deadline = now() + seconds
    while not condition():
        if now() > deadline:
            return False
        time.sleep(every)
    return True
