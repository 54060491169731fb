"""Pages for what is kept of somebody's choices: presets, and how they want to be told. Whole without scripts."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from exports import preferences, presets
from exports.choice_views import choice, exportable, start_of
from exports.exceptions import ExportError, InvalidOptions
from exports.forms import ExportForm, PreferencesForm, PresetForm
from exports.models import Preferences
from exports.views import person
from projects.models import Project


@require_POST
@login_required
@never_cache
def name_preset(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The choices of the form are kept for the next step, in which they get their name."""
    project = exportable(request, project_id)
    form = ExportForm(request.POST, start=start_of(request, project))
    if not form.is_valid():
        return choice(request, project, form, 422)
    named = PresetForm(initial={"options": form.options() | {"selectedImageIds": None}})
    return render(request, "exports/preset.html", {"project": project, "form": named})


@require_POST
@login_required
@never_cache
def save_preset(request: HttpRequest, project_id: UUID) -> HttpResponse:
    project = exportable(request, project_id)
    form = PresetForm(request.POST)
    if form.is_valid():
        try:
            preset = presets.create(person(request), project, form.wanted())
        except ExportError as refusal:
            form.add_error("name", refusal.sentence)
        else:
            messages.success(request, _("Saved as “%(name)s”.") % {"name": preset.name})
            return _to_choice(project, preset=str(preset.pk))
    return render(request, "exports/preset.html", {"project": project, "form": form}, status=422)


@require_POST
@login_required
def delete_preset(request: HttpRequest, project_id: UUID, preset_id: UUID) -> HttpResponse:
    project = exportable(request, project_id)
    presets.remove(person(request), project, preset_id)
    messages.success(request, _("The preset was deleted."))
    return _to_choice(project)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def told(request: HttpRequest) -> HttpResponse:
    """How the user wants to be told that an export has ended, and in which language."""
    user = person(request)
    form = PreferencesForm(request.POST or None, initial=PreferencesForm.of(Preferences.of(user)))
    if form.is_valid():
        try:
            kept = preferences.change(user, **form.cleaned_data)
        except InvalidOptions as refusal:
            form.add_error("mail_when_ended", refusal.sentence)
        else:
            messages.success(request, _("Saved."))
            return _in_language(redirect("exports:settings"), kept.language)
    return render(request, "exports/settings.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Chosen in the footer: for this browser and, of somebody who is logged in, for their e-mails."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        preferences.change(person(request), language=chosen)
    return set_language(request)


def _to_choice(project: Project, **asked: str) -> HttpResponse:
    address = reverse("exports:new", args=[project.pk])
    return redirect(f"{address}?{urlencode(asked)}" if asked else address)


def _in_language(response: HttpResponse, language: str) -> HttpResponse:
    """Pages follow the cookie, as after a choice in the footer."""
    if language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=settings.LANGUAGE_COOKIE_AGE)
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response
