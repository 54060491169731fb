"""The settings of a broken build: those of the hub, and what breaks it."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.broken.BrokenConfig"]
