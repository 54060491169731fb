"""Pages of exports: whole without scripts. Each look-up starts from `visible_to` and ends in 404."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exports import admission, lifecycle
from exports.exceptions import ExportError
from exports.forms import ExportForm
from exports.models import ExportJob, ExportJobQuerySet
from projects.models import Project, Visitor

EXPORTS_A_PAGE = 30
Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


@require_safe
@login_required
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    """All exports of the user, and those of the projects that they own."""
    jobs = _shown(request.user)
    page = Paginator(jobs, EXPORTS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "exports/mine.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The dialog as a page of its own, and where its form goes without scripts."""
    project = get_object_or_404(Project.objects.visible_to(request.user), pk=project_id)
    chosen = {"selected_image_ids": request.GET.getlist("selectedImageIds") or None}
    form = ExportForm(request.POST or None, initial=chosen)
    if form.is_valid():
        return _started(request, project, form)
    may_export = Project.objects.exportable_by(request.user).filter(pk=project_id).exists()
    context = {"project": project, "form": form, "may_export": may_export}
    return render(request, "exports/new.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
@never_cache
def card(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One export as markup, for a page that is open already."""
    job = _visible(request.user, job_id)
    return render(request, "exports/_card.html", {"job": job})


def _explained(view: View[Arguments]) -> View[Arguments]:
    """Turn a refusal into a sentence at the top of the page that is shown next."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ExportError as refusal:
            messages.error(request, refusal.sentence)
            return redirect("exports:mine")

    return wrapped


@require_POST
@login_required
@_explained
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = _visible(request.user, job_id)
    lifecycle.cancel(job.pk, lifecycle.actor(_person(request)))
    return _back_to(job)


@require_POST
@login_required
@_explained
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    again, _ = admission.retry(_person(request), _visible(request.user, job_id))
    return _back_to(again)


@require_POST
@login_required
@_explained
def delete(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Delete the file of a completed export; the export stays in the history."""
    job = _visible(request.user, job_id)
    lifecycle.expire(job.pk, "deleted", lifecycle.actor(_person(request)))
    return _back_to(job)


def _started(request: HttpRequest, project: Project, form: ExportForm) -> HttpResponse:
    try:
        job, _ = admission.start(_person(request), project.pk, form.options())
    except ExportError as refusal:
        form.add_error(None, refusal.sentence)
        context = {"project": project, "form": form, "may_export": True}
        return render(request, "exports/new.html", context, status=refusal.status)
    return _back_to(job)


def _visible(user: Visitor, job_id: UUID) -> ExportJob:
    return get_object_or_404(_shown(user), pk=job_id)


def _shown(user: Visitor) -> ExportJobQuerySet:
    """With what a card says, in one query."""
    return ExportJob.objects.visible_to(user).with_queue_position().select_related("project", "user")


def _person(request: HttpRequest) -> User:
    """`login_required` lets nobody else in."""
    return cast(User, request.user)


def _back_to(job: ExportJob) -> HttpResponse:
    return redirect(f"{job.project.get_absolute_url()}#export-{job.pk}")
