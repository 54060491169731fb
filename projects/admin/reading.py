"""What lists to look at share."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

LISTED = 10_000


class ReadOnly:
    """For model admins and inlines: whoever may view, views."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class FirstOnes(Paginator[Any]):
    """Pages of the first LISTED: nobody leafs through a million, and counting them takes its time."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)  # noqa: S101  (for the type checker)
        return int(rows.order_by().values("pk")[:LISTED].count())
