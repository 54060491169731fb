"""Pages on which somebody chooses what to export. Each look-up starts from `visible_to` and ends in 404."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from config import problems
from config.headers import as_picture
from config.requests import has_current
from exports import admission, options, presets, preview, starting
from exports.exceptions import ExportError, ExportNotAllowed
from exports.forms import ExportForm
from exports.views import back_to, person
from projects.models import Project


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The dialog as a page of its own, and where its form goes without scripts."""
    project = get_object_or_404(Project.objects.visible_to(request.user), pk=project_id)
    if not Project.objects.exportable_by(request.user).filter(pk=project_id).exists():
        status = 403 if request.method == "POST" else 200
        return render(request, "exports/new.html", {"project": project, "may_export": False}, status=status)
    form = ExportForm(request.POST or None, start=start_of(request, project))
    if form.is_valid():
        return _started(request, project, form)
    return choice(request, project, form, 422 if form.errors else 200)


@require_safe
@login_required
@never_cache
def fields(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The form's fields as `new` would show them, for a dialog that is open already."""
    project = exportable(request, project_id)
    form = ExportForm(start=start_of(request, project))
    return render(request, "exports/_form.html", {"project": project, "form": form})


@require_safe
@login_required
@as_picture
def overlay_preview(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A JPEG; what cannot be shown is a problem document."""
    try:
        return _preview(request, admission.exportable(person(request), project_id))
    except ExportError as refusal:
        return problems.problem(refusal.status, refusal.code, refusal.sentence, **refusal.details)


def exportable(request: HttpRequest, project_id: UUID) -> Project:
    """Raise Http404, or PermissionDenied for who may only look."""
    try:
        return admission.exportable(person(request), project_id)
    except ExportNotAllowed as refusal:
        raise PermissionDenied(refusal.sentence) from refusal


def start_of(request: HttpRequest, project: Project) -> starting.Start:
    """What the address asks the form to open with. Raise Http404."""
    asked = request.GET
    return starting.start(
        person(request),
        project,
        like=asked.get("like", ""),
        preset=asked.get("preset", ""),
        selected=asked.getlist("selectedImageIds"),
    )


def choice(request: HttpRequest, project: Project, form: ExportForm, status: int) -> HttpResponse:
    offered = presets.offered(person(request), project)
    context = {
        "project": project,
        "form": form,
        "may_export": True,
        "presets": offered,
        "deletable": [each for each in offered if presets.is_changeable(each, person(request))],
    }
    return render(request, "exports/new.html", context, status=status)


def _started(request: HttpRequest, project: Project, form: ExportForm) -> HttpResponse:
    try:
        job, _ = admission.start(person(request), project.pk, form.options())
    except ExportError as refusal:
        form.add_error(None, refusal.sentence)
        return choice(request, project, form, refusal.status)
    return back_to(job)


def _preview(request: HttpRequest, project: Project) -> HttpResponse:
    style = options.parse_style(request.GET.get("options") or "{}")
    image = preview.image_for(project, _image_id(request))
    etag = preview.etag_of(image, style)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if has_current(request, etag):
        return HttpResponse(status=304, headers=headers)
    drawn = preview.draw(image, style)
    part = drawn.part
    headers |= {
        "X-Image-Id": str(image.pk),
        "X-Image-Name": quote(image.name),
        "X-Image-Size": f"{image.width},{image.height}",
        "X-Image-Part": f"{part.left},{part.top},{part.width},{part.height}",
    }
    return HttpResponse(drawn.content, content_type="image/jpeg", headers=headers)


def _image_id(request: HttpRequest) -> UUID | None:
    given = request.GET.get("image")
    return starting.id_of(given) if given else None
