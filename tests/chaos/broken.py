"""The hub with one mechanism taken out, for `python -m tests.chaos --broken NAME`: the checker has to find it.

No product code is touched: `broken_settings` adds the application below, which patches every process as it
starts. Can be imported without Django's settings, for the names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured

from tests.chaos import broken_builds


@dataclass(frozen=True)
class Build:
    """What is patched, the faults under which it shows (all of them when none is named), and as what."""

    patch: Callable[[], None]
    shows: frozenset[str]
    """The guarantees that are broken: other violations do not count as finding it."""
    faults: tuple[str, ...] = ()


BUILDS: dict[str, Build] = {
    "no-fence": Build(broken_builds.without_fence, frozenset(("G7", "G8")), ("WS",)),
    "no-lock": Build(broken_builds.without_lock, frozenset(("G1", "G2", "G3", "G4", "G5", "G6"))),
    "ack-before-commit": Build(broken_builds.ack_before_commit, frozenset(("G1", "G2", "G3", "G4"))),
    "serve-by-existence": Build(broken_builds.serve_by_existence, frozenset(("G3",))),
    "events-without-version": Build(broken_builds.events_without_version, frozenset(("G2", "G19"))),
}


class BrokenConfig(AppConfig):
    """Patches this process once all applications are loaded."""

    name = "tests.chaos.broken"
    label = "broken"

    def ready(self) -> None:
        build = BUILDS.get(os.environ.get("BROKEN", ""))
        if build is None:
            raise ImproperlyConfigured(f"BROKEN must be one of {', '.join(BUILDS)}.")
        build.patch()
