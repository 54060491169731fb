"""Seeded trouble: one fault after the other, at times two at once, each noted with when it began and was over."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

from tests.chaos.course import now
from tests.chaos.faults import FAULTS
from tests.chaos.faults.site import Site

PAIRS_SHARE = 0.25


class Nemesis:
    """Deals the faults like cards: each comes before any comes again."""

    def __init__(self, site: Site, names: Sequence[str], every: float) -> None:
        self._site, self._course, self._names, self._every = site, site.course, list(names), every
        self._random: random.Random = site.course.chance("nemesis")
        self._deck: list[str] = []
        self._began = now()

    def live(self) -> None:
        self._rest(now() + self._every / 2)
        while not self._course.draining.is_set():
            began = now()
            self._strike(self._next())
            self._rest(began + self._random.uniform(0.7, 1.3) * self._every)

    def _rest(self, until: float) -> None:
        self._course.draining.wait(max(until - now(), 0.2))

    def _next(self) -> list[str]:
        if len(self._deck) < 2:
            self._deck = self._random.sample(self._names, len(self._names)) + self._deck
        is_pair = self._random.random() < PAIRS_SHARE and self._deck[-1] != self._deck[-2:][0]
        return [self._deck.pop() for _ in range(2 if is_pair else 1)]

    def _strike(self, names: list[str]) -> None:
        """At the same time."""
        threads: list[threading.Thread] = []
        for name in names:
            chance = random.Random(self._random.random())
            threads.append(
                self._course.send_off(f"fault {name}", lambda n=name, c=chance: self._commit(n, c))
            )
        for thread in threads:
            thread.join()

    def _commit(self, name: str, chance: random.Random) -> None:
        began = now()
        detail = FAULTS[name](self._site, chance)
        self._course.note("fault", name=name, t0=began, t1=now(), detail=detail)
        print(f"{began - self._began:8.1f} s  {name:<4}  {detail}", flush=True)
