"""The exports of a project, for its page: `projects` shows them without importing `exports`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.db.models import Case, Value, When
from django.template.context import RequestContext

from exports.forms import ExportForm
from exports.models import ExportJob
from exports.states import ACTIVE
from projects.models import Project

HISTORY = 20

register = template.Library()


@register.inclusion_tag("exports/_panel.html", takes_context=True)
def export_panel(context: RequestContext, project: Project) -> dict[str, Any]:
    """The newest exports of the project that the user may see, those under way first."""
    user = context["user"]
    under_way = Case(When(status__in=ACTIVE, then=Value(0)), default=Value(1))
    visible = ExportJob.objects.visible_to(user).filter(project=project)
    newest = visible.with_queue_position().select_related("project", "user")
    jobs = list(newest.order_by(under_way, "-created_at", "-id")[: HISTORY + 1])
    return {"user": user, "project": project, "jobs": jobs[:HISTORY], "has_more": len(jobs) > HISTORY}


@register.inclusion_tag("exports/_head.html", takes_context=True)
def export_head(context: RequestContext, project: Project) -> dict[str, Any]:
    """What the page's head needs: without scripts the page reloads itself while an export is under way."""
    active = ExportJob.objects.visible_to(context["user"]).active().filter(project=project)
    return {"request": context["request"], "is_under_way": active.exists()}


@register.inclusion_tag("exports/_dialog.html", takes_context=True)
def export_dialog(context: RequestContext, project: Project) -> dict[str, Any]:
    """The Export button and what it opens."""
    exportable = Project.objects.exportable_by(context["user"]).filter(pk=project.pk)
    return {"project": project, "form": ExportForm(), "may_export": exportable.exists()}


@register.filter
def in_time(seconds: float | None) -> str:
    """A length of time as a person says it: 40 s, 3 min, 2 h."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{round(seconds / 3600)} h"


@register.filter
def in_percent(progress: float) -> str:
    """Rounded down: 100 only when it is done."""
    return str(int(progress))


@register.filter
def seconds_taken(job: ExportJob) -> float | None:
    return None if job.processing_time is None else job.processing_time / 1000


@register.filter
def any_active(jobs: Iterable[ExportJob]) -> bool:
    return any(job.is_active for job in jobs)
