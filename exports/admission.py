"""Who may start an export, of what: the checks that page and API share, before the job's life begins."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404
from django.utils.translation import gettext as _

from exports import lifecycle, options
from exports.estimate import Estimate
from exports.estimate import estimate as estimate_of
from exports.exceptions import ExportNotAllowed, InvalidOptions, StillActive
from exports.messages import Request
from exports.models import ExportJob
from projects.models import Project

MAX_NAME = 200
MAX_KEY = 255


def start(
    user: User,
    project_id: UUID,
    raw_options: object,
    *,
    project_name: str | None = None,
    idempotency_key: str | None = None,
) -> tuple[ExportJob, bool]:
    """The job, and whether it is a new one.

    Raise Http404 when the user does not see the project, and every refusal of `exceptions` that a start
    can meet.
    """
    project = exportable(user, project_id)
    wanted = _request(user, project, raw_options, project_name, idempotency_key, retry_of=None)
    return lifecycle.request(wanted)


def retry(
    user: User, job: ExportJob, *, idempotency_key: str | None = None, asked_by: str = ""
) -> tuple[ExportJob, bool]:
    """A new job with the options of an ended one. Raise StillActive, and whatever a start raises."""
    if job.is_active:
        raise StillActive
    project = exportable(user, job.project_id)
    wanted = _request(user, project, job.options, job.project_name, idempotency_key, retry_of=job.pk)
    return lifecycle.request(replace(wanted, asked_by=asked_by))


def estimate(user: User, project_id: UUID, raw_options: object) -> Estimate:
    """What `start` would lead to; it raises the same."""
    return estimate_of(exportable(user, project_id).pk, options.parse(raw_options))


def exportable(user: User, project_id: UUID) -> Project:
    """Raise Http404 when the user does not see the project, ExportNotAllowed when they may only look."""
    project = Project.objects.visible_to(user).filter(pk=project_id).first()
    if project is None:
        raise Http404
    if not Project.objects.exportable_by(user).filter(pk=project_id).exists():
        raise ExportNotAllowed
    return project


def _request(
    user: User, project: Project, raw: object, name: str | None, key: str | None, *, retry_of: UUID | None
) -> Request:
    chosen = options.parse({} if raw is None else raw)
    earlier = ExportJob.objects.filter(user=user, idempotency_key=_key(key)).first() if key else None
    return Request(
        user_id=user.pk,
        project_id=project.pk,
        project_name=_name(name, project),
        options=chosen,
        digest=_digest(project.pk, chosen.as_json(), name),
        # A request that was accepted once is answered again whatever has become of the images.
        image_count=earlier.image_count if earlier else estimate_of(project.pk, chosen).images,
        idempotency_key=_key(key),
        retry_of=retry_of,
    )


def _name(given: str | None, project: Project) -> str:
    name = " ".join((given or "").split())
    if len(name) > MAX_NAME:
        sentence = _("use at most %(most)s characters") % {"most": MAX_NAME}
        raise InvalidOptions(
            _("The project name is too long: %(sentence)s.") % {"sentence": sentence},
            fields={"projectName": sentence},
        )
    return "".join(each for each in name if each.isprintable()) or project.name


def _key(given: str | None) -> str | None:
    if given is not None and not 0 < len(given) <= MAX_KEY:
        sentence = _("use 1 to %(most)s characters") % {"most": MAX_KEY}
        raise InvalidOptions(
            _("The Idempotency-Key is not usable: %(sentence)s.") % {"sentence": sentence},
            fields={"Idempotency-Key": sentence},
        )
    return given


def _digest(project_id: UUID, chosen: dict[str, Any], name: str | None) -> str:
    canonical = json.dumps([str(project_id), chosen, name], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
