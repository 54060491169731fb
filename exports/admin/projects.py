"""The projects' list and page, with their exports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from exports.models import ExportJob
from projects.admin import ProjectAdmin
from projects.models import Project

admin.site.unregister(Project)


@admin.register(Project)
class ProjectWithExportsAdmin(ProjectAdmin):
    list_display = (*ProjectAdmin.list_display[:4], "active_exports", *ProjectAdmin.list_display[4:])

    def counted(self, projects: list[Any]) -> list[Any]:
        running = self.running([project.pk for project in projects])
        for project in super().counted(projects):
            project.active_exports = running.get(project.pk, 0)
        return projects

    @admin.display(description=_("Active exports"))
    def active_exports(self, project: Any) -> int:
        return int(project.active_exports)

    def running(self, projects: Iterable[UUID]) -> dict[UUID, int]:
        active = ExportJob.objects.order_by().active().filter(project__in=list(projects))
        return dict(active.values_list("project").annotate(n=Count("*")))
