"""Requests for exports, as tests need them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from exports.messages import Request
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
