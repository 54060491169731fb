"""Requests for exports, as tests need them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from exports import grants
from exports.messages import Request
from exports.models import ExportJob
from exports.options import ExportOptions
from projects.models import Project


def request_for(project: Project, user: User, *, key: str | None = None, **choices: Any) -> Request:
    """A request that `admission` would have let through."""
    options = ExportOptions(**choices)
    return Request(
        user_id=user.pk,
        project_id=project.pk,
        project_name=project.name,
        options=options,
        digest=options.digest(),
        image_count=project.images.count(),
        idempotency_key=key,
    )


def download(job_id: UUID, by: str = "user:1") -> ExportJob:
    """Have a download of the whole file accepted, as the API does; nothing is sent."""
    with grants.download(job_id, by) as grant:
        grant.accept_start()
    return grant.job
