"""The tables of this app. Only `exports.lifecycle` writes `ExportJob.status`."""

from __future__ import annotations

from exports.models.choices import Preferences, Preset
from exports.models.jobs import ExportJob, ExportJobQuerySet, Snapshot, Transition
from exports.models.keys import ApiToken, ApiTokenQuerySet, KeyScope, KeyState
from exports.models.letters import Letter
from exports.models.tallies import Rollup, Tally

__all__ = [
    "ApiToken",
    "ApiTokenQuerySet",
    "ExportJob",
    "ExportJobQuerySet",
    "KeyScope",
    "KeyState",
    "Letter",
    "Preferences",
    "Preset",
    "Rollup",
    "Snapshot",
    "Tally",
    "Transition",
]
