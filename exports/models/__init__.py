"""The tables of this app. Only `exports.lifecycle` writes `ExportJob.status`."""

from __future__ import annotations

from exports.models.choices import Preferences, Preset
from exports.models.jobs import ApiToken, ExportJob, ExportJobQuerySet, Snapshot, Transition
from exports.models.letters import Letter

__all__ = [
    "ApiToken",
    "ExportJob",
    "ExportJobQuerySet",
    "Letter",
    "Preferences",
    "Preset",
    "Snapshot",
    "Transition",
]
