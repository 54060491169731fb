"""Projects and images over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from config.authentication import READING
from config.requests import ApiRequest, CursorText, Row, page, position_of
from projects.models import Image, Project

router = Router(by_alias=True)
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows a page.")]
Search = Annotated[str, Query(max_length=1000, description="A part of the name, whatever its case.")]
MOST_IDS = 100_000


class Outward(BaseModel):
    """Keys in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ProjectView(Outward):
    id: UUID
    name: str
    description: str
    owner_id: int
    created_at: datetime
    images: int
    objects: int
    exportable: bool = Field(description="Whether you may export it.")


class ProjectPage(Outward):
    projects: list[ProjectView]
    next_cursor: str | None


class ImageView(Outward):
    id: UUID
    name: str
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    bytes: int
    objects: int
    pixel_size: float | None = Field(description="µm per pixel, where known.")
    created_at: datetime


class ImagePage(Outward):
    images: list[ImageView]
    total: int = Field(description="On all pages.")
    next_cursor: str | None


class ImageIds(Outward):
    ids: list[UUID]


@router.get("/projects", auth=READING, response=ProjectPage)
def list_projects(request: ApiRequest, limit: Limit = 100, cursor: CursorText = None) -> ProjectPage:
    """The projects that you own or are a member of, by name."""
    visible = Project.objects.visible_to(request.auth).with_counts()
    shown, following = page(_after(visible, cursor), limit, lambda project: [project.name, str(project.pk)])
    return ProjectPage(projects=_project_views(request, shown), next_cursor=following)


@router.get("/projects/{uuid:project_id}", auth=READING, response=ProjectView)
def show_project(request: ApiRequest, project_id: UUID) -> ProjectView:
    """What is in it, and whether you may export it."""
    visible = Project.objects.visible_to(request.auth).with_counts()
    return _project_views(request, [get_object_or_404(visible, pk=project_id)])[0]


@router.get("/projects/{uuid:project_id}/images", auth=READING, response=ImagePage)
def list_images(
    request: ApiRequest, project_id: UUID, search: Search = "", limit: Limit = 100, cursor: CursorText = None
) -> ImagePage:
    """The images of a project, by name."""
    images = _found(request, project_id, search)
    counted = images.annotate(object_count=Coalesce(F("segmentation__object_count"), 0))
    shown, following = page(_after(counted, cursor), limit, lambda image: [image.name, str(image.pk)])
    views = [_image_view(image) for image in shown]
    return ImagePage(images=views, total=images.count(), next_cursor=following)


@router.get("/projects/{uuid:project_id}/images/ids", auth=READING, response=ImageIds)
def list_image_ids(request: ApiRequest, project_id: UUID, search: Search = "") -> ImageIds:
    """All of them, by name: for who selects what a search has found. At most 100,000."""
    images = _found(request, project_id, search).order_by("name", "pk")
    return ImageIds(ids=list(images.values_list("pk", flat=True)[:MOST_IDS]))


def _found(request: ApiRequest, project_id: UUID, search: str) -> QuerySet[Image]:
    """Raise Http404 when the user does not see the project."""
    project = get_object_or_404(Project.objects.visible_to(request.auth), pk=project_id)
    images = Image.objects.present().filter(project=project)
    # PostgreSQL holds no NUL, so no name has one.
    part = search.replace("\0", "").strip()
    return images.filter(name__icontains=part) if part else images


def _after(rows: QuerySet[Row], cursor: str | None) -> QuerySet[Row]:
    """Ordered by name, then id; written so that the index on both is used."""
    ordered = rows.order_by("name", "pk")
    if cursor is None:
        return ordered
    name, row_id = position_of(cursor)
    return ordered.filter(Q(name__gt=name) | Q(pk__gt=row_id), name__gte=name)


def _project_views(request: ApiRequest, shown: list[Project]) -> list[ProjectView]:
    """Of projects `with_counts`; one more query says which of them may be exported."""
    exportable = Project.objects.exportable_by(request.auth).filter(pk__in=[project.pk for project in shown])
    keys = set(exportable.values_list("pk", flat=True))
    return [_project_view(project, project.pk in keys) for project in shown]


def _project_view(project: Any, exportable: bool) -> ProjectView:
    return ProjectView(
        id=project.pk,
        name=project.name,
        description=project.description,
        owner_id=project.owner_id,
        created_at=project.created_at,
        images=project.image_count,
        objects=project.object_count,
        exportable=exportable,
    )


def _image_view(image: Any) -> ImageView:
    return ImageView(
        id=image.pk,
        name=image.name,
        width=image.width,
        height=image.height,
        bytes=image.size,
        objects=image.object_count,
        pixel_size=image.pixel_size,
        created_at=image.created_at,
    )
