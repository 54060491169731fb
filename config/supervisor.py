"""Keeps a set of programs running: starts each, starts again what ends, and stops all in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config import processes

# A program that lived this long was well: its next end is a new trouble, not the same one.
WELL_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    # How long it may take to end after SIGTERM.
    stop_seconds: float
    environment: Mapping[str, str]
    inherited: tuple[int, ...] = ()


class Supervisor:
    """Groups start in the order given and stop in it, each group only after the one before has ended.

    Members of a group are asked to stop at once, so that many take no longer than the slowest.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[Program]],
        *,
        folder: Path,
        logs: Path,
        log: Callable[[str], None],
    ) -> None:
        self._groups = [[_Child(program, folder, logs) for program in group] for group in groups]
        self._log = log

    def start(self) -> None:
        for child in self._children():
            child.launch()

    def keep_running(self) -> None:
        """Call this often: what has ended starts again, at once the first time, then after growing pauses."""
        for child in self._children():
            if child.has_just_ended():
                pause = child.plan_restart()
                when = f"in {pause:.0f} s" if pause else "now"
                self._log(
                    f"{child.name} {child.how_it_ended()}; starting it again {when} (see {child.output})."
                )
            if child.is_due():
                child.launch()

    def stop(self) -> None:
        for group in self._groups:
            asked = time.monotonic()
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.finish(asked)

    def _children(self) -> list[_Child]:
        return [child for group in self._groups for child in group]


class _Child:
    """One program and the process that runs it now, if any."""

    def __init__(self, program: Program, folder: Path, logs: Path) -> None:
        self.name = program.name
        self.output = logs / f"{program.name}.log"
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._due: float | None = None
        self._early_ends = 0

    def launch(self) -> None:
        self._began, self._due = time.monotonic(), None
        self._process = processes.start(
            self._program.command,
            output=self.output,
            environment=self._program.environment,
            folder=self._folder,
            inherited=self._program.inherited,
        )

    def has_just_ended(self) -> bool:
        return self._due is None and self._process is not None and self._process.poll() is not None

    def how_it_ended(self) -> str:
        code = self._process.returncode if self._process is not None else 0
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def plan_restart(self) -> float:
        """The pause in seconds: 0, then 1, 2, 4 and so on while it keeps ending early."""
        was_well = time.monotonic() - self._began >= WELL_SECONDS
        self._early_ends = 0 if was_well else self._early_ends + 1
        pause = min(2.0 ** (self._early_ends - 2), LONGEST_PAUSE_SECONDS) if self._early_ends > 1 else 0.0
        self._due = time.monotonic() + pause
        return pause

    def is_due(self) -> bool:
        return self._due is not None and time.monotonic() >= self._due

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def finish(self, asked: float) -> None:
        """Once only was it asked: a worker takes a second SIGTERM as an order to drop its job."""
        self._due = None
        if self._process is not None:
            left = self._program.stop_seconds - (time.monotonic() - asked)
            processes.wait_or_kill(self._process, max(left, 0.0))
            self._process = None
