"""How many sockets each user has open in this process: one in a loop must not take those of all others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.conf import settings


@dataclass
class Seats:
    _taken: Counter[int] = field(default_factory=Counter)

    def take(self, user_id: int) -> bool:
        """Whether there was one left."""
        if self._taken[user_id] >= settings.MAX_SOCKETS_PER_USER:
            return False
        self._taken[user_id] += 1
        return True

    def leave(self, user_id: int) -> None:
        self._taken[user_id] -= 1
        if not self._taken[user_id]:
            del self._taken[user_id]

    def taken(self) -> int:
        """By all users together."""
        return self._taken.total()
