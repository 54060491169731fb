"""Pages of projects and their images. Each look-up starts from `visible_to` and ends in 404."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from config.headers import as_picture
from projects import drawing, thumbnails
from projects.models import Image, Membership, Project, Visitor

PROJECTS_A_PAGE = 60
IMAGES_A_PAGE = 60
OBJECTS_A_PAGE = 100
PICTURE_CACHE = "private, max-age=604800"  # the file of an image never changes


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    page = _page(request, _listed(request.user), PROJECTS_A_PAGE)
    return render(request, "projects/index.html", {"page": page})


@require_safe
@login_required
def detail(request: HttpRequest, project_id: UUID) -> HttpResponse:
    project = get_object_or_404(_listed(request.user), pk=project_id)
    images = project.images.present().annotate(object_count=F("segmentation__object_count"))
    page = _page(request, images, IMAGES_A_PAGE)
    return render(request, "projects/detail.html", {"project": project, "page": page})


@require_safe
@login_required
def image(request: HttpRequest, project_id: UUID, image_id: UUID) -> HttpResponse:
    shown = _image(request.user, project_id, image_id, "project", "segmentation")
    objects = drawing.objects(shown)
    page = _page(request, objects, OBJECTS_A_PAGE)
    return render(request, "projects/image.html", {"image": shown, "objects": objects, "page": page})


@require_safe
@login_required
@as_picture
def file(request: HttpRequest, project_id: UUID, image_id: UUID) -> HttpResponse:
    return _picture(thumbnails.for_browser(_image(request.user, project_id, image_id)))


@require_safe
@login_required
@as_picture
def thumbnail(request: HttpRequest, project_id: UUID, image_id: UUID) -> HttpResponse:
    return _picture(thumbnails.thumbnail(_image(request.user, project_id, image_id)))


@require_safe
@login_required
@as_picture
def outlines(request: HttpRequest, project_id: UUID, image_id: UUID) -> HttpResponse:
    """All objects of an image in one drawing, to lie over its picture."""
    shown = _image(request.user, project_id, image_id, "segmentation")
    context = {"image": shown, "objects": drawing.objects(shown)}
    return render(request, "projects/outlines.svg", context, content_type="image/svg+xml")


def _listed(user: Visitor) -> QuerySet[Project]:
    """With what a list says of each: counts, the user's role, the image that stands for it."""
    memberships = Membership.objects.filter(project=OuterRef("pk"), user_id=cast(int, user.pk))
    images = Image.objects.present().filter(project=OuterRef("pk"))
    visible = Project.objects.visible_to(user).with_counts().select_related("owner")
    return visible.annotate(
        role=Subquery(memberships.values("role")[:1]), cover_id=Subquery(images.values("pk")[:1])
    )


def _image(user: Visitor, project_id: UUID, image_id: UUID, *related: str) -> Image:
    visible = Image.objects.visible_to(user).filter(project_id=project_id)
    return get_object_or_404(visible.select_related(*related) if related else visible, pk=image_id)


def _page(request: HttpRequest, items: QuerySet[Any] | list[Any], size: int) -> Page[Any]:
    return Paginator(items, size).get_page(request.GET.get("page"))


def _picture(picture: thumbnails.Picture) -> HttpResponse:
    headers = {"Cache-Control": PICTURE_CACHE if picture.is_the_image else "no-store"}
    return HttpResponse(picture.content, content_type=picture.content_type, headers=headers)
