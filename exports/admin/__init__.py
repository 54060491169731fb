"""A look at exports. Nothing can be changed here but through the lifecycle."""

from __future__ import annotations

from exports.admin.jobs import ExportJobAdmin
from exports.admin.keys import ApiTokenAdmin
from exports.admin.projects import ProjectWithExportsAdmin

__all__ = ["ApiTokenAdmin", "ExportJobAdmin", "ProjectWithExportsAdmin"]
