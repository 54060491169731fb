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
from django.views.decorators.http import require_POST, require_safe

from exports import admission, cards, lifecycle
from exports.exceptions import ExportError
from exports.history import HistoryForm
from exports.models import ExportJob
from projects.models import Visitor

EXPORTS_A_PAGE = 30
Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


@require_safe
@login_required
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    """All exports of the user, and those of the projects that they own."""
    search = HistoryForm(request.GET)
    jobs = search.found_in(cards.shown_to(request.user))
    page = Paginator(jobs, EXPORTS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "search": search, "outdated": cards.outdated(page)}
    return render(request, "exports/mine.html", context)


@require_safe
@login_required
@never_cache
def card(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One export as markup, for a page that is open already."""
    job = get_object_or_404(cards.shown_to(request.user), pk=job_id)
    return render(request, "exports/_card.html", {"job": job, "outdated": cards.outdated([job])})


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
    lifecycle.cancel(job.pk, lifecycle.actor(person(request)))
    return back_to(job)


@require_POST
@login_required
@_explained
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    again, _ = admission.retry(person(request), _visible(request.user, job_id))
    return back_to(again)


@require_POST
@login_required
@_explained
def delete(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Delete the file of a completed export; the export stays in the history."""
    job = _visible(request.user, job_id)
    lifecycle.expire(job.pk, "deleted", lifecycle.actor(person(request)))
    return back_to(job)


def _visible(user: Visitor, job_id: UUID) -> ExportJob:
    return get_object_or_404(ExportJob.objects.visible_to(user).select_related("project"), pk=job_id)


def person(request: HttpRequest) -> User:
    """`login_required` lets nobody else in."""
    return cast(User, request.user)


def back_to(job: ExportJob) -> HttpResponse:
    return redirect(f"{job.project.get_absolute_url()}#export-{job.pk}")
