"""The essentials of the overview, for the front page of the admin."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User

from exports.admin.overview import essentials

register = template.Library()


@register.simple_tag
def exports_now(user: User | AnonymousUser) -> dict[str, Any] | None:
    """None for those who may not see exports."""
    return essentials() if user.has_perm("exports.view_exportjob") else None
