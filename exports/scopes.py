"""Whose exports a stream, or the poll in its place, is about, and which of them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import cast

from django.db.models import Q
from django.db.models.functions import Now

from exports.models import ExportJob, ExportJobQuerySet
from exports.states import ACTIVE
from projects.models import Visitor


class Scope(StrEnum):
    OWN = "own"
    VISIBLE = "visible"
    """Also everybody's of the projects that the user owns."""

    def jobs(self, user: Visitor) -> ExportJobQuerySet:
        """As far as the user may still see them."""
        visible = ExportJob.objects.visible_to(user)
        return visible if self is Scope.VISIBLE else visible.filter(user=cast(int, user.pk))

    def current(self, user: Visitor) -> ExportJobQuerySet:
        """What somebody who begins to watch has to know: active, or changed in the last hour."""
        recent = Q(status__in=ACTIVE) | Q(changed_at__gte=Now() - timedelta(hours=1))
        return self.jobs(user).filter(recent)
