"""Removing projects and giving them back: asked first, then reported for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from projects.models import Project, ProjectQuerySet

if TYPE_CHECKING:
    from projects.admin.projects import ProjectAdmin

MOST = 500  # projects at once


@dataclass(frozen=True)
class Step:
    action: str
    title: Promise
    consequence: Promise
    button: Promise
    done: Promise
    needless: Promise
    apply: Callable[[ProjectQuerySet], int]


@dataclass(frozen=True)
class Affected:
    project: Project
    running: int
    """Exports under way or waiting."""


@dataclass(frozen=True)
class Reported:
    project: Project
    outcome: Promise


REMOVE = Step(
    "remove_selected",
    _("Remove projects"),
    _(
        "Nobody sees these projects any more. Their running exports are cancelled, and their archives deleted,"
        " within 15 seconds. Their images and objects stay: the projects can be restored."
    ),
    _("Yes, remove them"),
    _("Removed"),
    _("Was removed already"),
    ProjectQuerySet.remove,
)
RESTORE = Step(
    "restore_selected",
    _("Restore projects"),
    _(
        "Owners and members see these projects again. Exports that were cancelled stay cancelled, and archives"
        " that were deleted stay deleted."
    ),
    _("Yes, restore them"),
    _("Restored"),
    _("Was not removed"),
    ProjectQuerySet.restore,
)


def page(
    admin: ProjectAdmin, request: HttpRequest, projects: ProjectQuerySet, step: Step
) -> HttpResponse | None:
    """The question, or the report; None, and a message, when too many were chosen."""
    chosen = list(projects.select_related("owner")[: MOST + 1])
    if len(chosen) > MOST:
        sentence = gettext("At most %(most)s projects at once.") % {"most": MOST}
        admin.message_user(request, sentence, messages.ERROR)
        return None
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": step.title,
        "step": step,
    }
    if "confirmed" not in request.POST:
        running = admin.running([project.pk for project in chosen])
        affected = [Affected(project, running.get(project.pk, 0)) for project in chosen]
        shown = {**context, "affected": affected}
        return TemplateResponse(request, "admin/projects/project/confirm.html", shown)
    reported = [_take(admin, request, project, step) for project in chosen]
    return TemplateResponse(request, "admin/projects/project/report.html", {**context, "reported": reported})


def _take(admin: ProjectAdmin, request: HttpRequest, project: Project, step: Step) -> Reported:
    """One project, whatever became of the others; only what changed is logged."""
    if not step.apply(Project.objects.filter(pk=project.pk)):
        return Reported(project, step.needless)
    admin.log_change(request, project, str(step.done))
    return Reported(project, step.done)
