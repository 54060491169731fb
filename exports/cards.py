"""What the cards of a page say of their exports, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import (
    Case,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Substr

from exports.models import ExportJob, ExportJobQuerySet, Transition
from exports.states import Status
from projects.models import Project, Visitor

MOMENTS = 50  # entries of the audit that a card tells; downloads and refusals may be many more
LOOKED_THROUGH = 100  # selected images that are looked at one by one; beyond, the project speaks for them


def shown_to(user: Visitor) -> ExportJobQuerySet:
    """The exports that `user` may see, each with `may_repeat` and its `moments`: two queries in all."""
    visible = ExportJob.objects.visible_to(user).with_queue_position().select_related("project", "user")
    exportable = Project.objects.exportable_by(user).filter(pk=OuterRef("project_id"))
    moments = Prefetch("transitions", _moments()[:MOMENTS], to_attr="moments")
    return visible.annotate(may_repeat=Exists(exportable)).prefetch_related(moments)


def _moments() -> QuerySet[Transition]:
    """Moves first, so that they are told however often a file was fetched or refused; with `actor_name`."""
    is_note = Case(When(from_status=F("to_status"), then=Value(1)), default=Value(0))
    users = User.objects.filter(pk=Cast(Substr(OuterRef("actor"), len("user:") + 1), IntegerField()))
    name = Case(When(actor__regex=r"^user:[0-9]{1,9}$", then=Subquery(users.values("username"))))
    return Transition.objects.annotate(actor_name=name).order_by(is_note, "sequence")


_CHANGED = """
    SELECT key, max(greatest(created_at, removed_at, outlined_at)) FROM (
        SELECT image.project_id AS key, image.created_at, image.removed_at, outlines.created_at AS outlined_at
        FROM projects_image AS image
        LEFT JOIN projects_segmentation AS outlines ON outlines.id = image.segmentation_id
        WHERE image.project_id = ANY(%(projects)s)
        UNION ALL
        SELECT chosen.job, image.created_at, image.removed_at, outlines.created_at
        FROM unnest(%(jobs)s::uuid[], %(homes)s::uuid[], %(images)s::uuid[]) AS chosen (job, project, image)
        JOIN projects_image AS image ON image.id = chosen.image AND image.project_id = chosen.project
        LEFT JOIN projects_segmentation AS outlines ON outlines.id = image.segmentation_id
    ) AS each_image
    GROUP BY key
"""


def outdated(jobs: Iterable[ExportJob]) -> set[UUID]:
    """Those whose images were added, removed or outlined anew since the moment that they show: one query."""
    built = [job for job in jobs if job.status in (Status.COMPLETED, Status.EXPIRED)]
    if not built:
        return set()
    changed_at = _changed_at(built)
    return {job.pk for job in built if _is_before(job.started_at, changed_at.get(_key(job)))}


def _changed_at(jobs: list[ExportJob]) -> dict[UUID, datetime]:
    """The newest change of each project, and of what was selected of one."""
    chosen = [(job.pk, job.project_id, image) for job in jobs for image in _looked_through(job)]
    of_job, homes, images = (list(each) for each in zip(*chosen, strict=True)) if chosen else ([], [], [])
    whole = list({job.project_id for job in jobs if not _looked_through(job)})
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"projects": whole, "jobs": of_job, "homes": homes, "images": images})
        return dict(cursor.fetchall())


def _key(job: ExportJob) -> UUID:
    return job.pk if _looked_through(job) else job.project_id


def _looked_through(job: ExportJob) -> list[str]:
    """The images that the export selected, unless they are too many to be looked at one by one."""
    selected: list[str] = job.options.get("selectedImageIds") or []
    return selected if len(selected) <= LOOKED_THROUGH else []


def _is_before(shown: datetime | None, changed: datetime | None) -> bool:
    return shown is not None and changed is not None and shown < changed
