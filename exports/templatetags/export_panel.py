"""The exports of a project, for its page: `projects` shows them without importing `exports`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.db.models import Case, Value, When
from django.template.context import RequestContext
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from exports import cards, preferences, starting
from exports.archive.formats import Format
from exports.forms import ExportForm
from exports.models import ExportJob, Preferences
from exports.states import ACTIVE
from projects.models import Project

HISTORY = 20

register = template.Library()


@register.inclusion_tag("exports/_panel.html", takes_context=True)
def export_panel(context: RequestContext, project: Project) -> dict[str, Any]:
    """The newest exports of the project that the user may see, those under way first."""
    user = context["user"]
    under_way = Case(When(status__in=ACTIVE, then=Value(0)), default=Value(1))
    newest = cards.shown_to(user).filter(project=project).order_by(under_way, "-created_at", "-id")
    jobs = list(newest[: HISTORY + 1])
    return {
        "user": user,
        "project": project,
        "jobs": jobs[:HISTORY],
        "outdated": cards.outdated(jobs[:HISTORY]),
        "has_more": len(jobs) > HISTORY,
    }


@register.inclusion_tag("exports/_head.html", takes_context=True)
def export_head(context: RequestContext, project: Project) -> dict[str, Any]:
    """What the page's head needs: without scripts the page reloads itself while an export is under way."""
    active = ExportJob.objects.visible_to(context["user"]).active().filter(project=project)
    return {"request": context["request"], "is_under_way": active.exists()}


@register.inclusion_tag("exports/_dialog.html", takes_context=True)
def export_dialog(context: RequestContext, project: Project) -> dict[str, Any]:
    """The Export button and what it opens."""
    user = context["user"]
    if not Project.objects.exportable_by(user).filter(pk=project.pk).exists():
        return {"project": project, "may_export": False}
    return {
        "project": project,
        "form": ExportForm(start=starting.start(user, project)),
        "preferences": Preferences.of(user),
        "user": user,
        "may_export": True,
    }


@register.filter
def cannot_hold(format: Format) -> str:
    """The sentence about what is lost in it; empty when nothing is."""
    losses = [_(loss) for loss in format.cannot_hold]
    return _("Cannot hold %(losses)s.") % {"losses": get_text_list(losses, _("and"))} if losses else ""


@register.filter
def why_no_mail(user: User) -> str:
    """Empty for who can be told by e-mail."""
    return preferences.why_no_mail(user)


@register.filter
def any_active(jobs: Iterable[ExportJob]) -> bool:
    return any(job.is_active for job in jobs)
