"""Pages of a list that is never counted, sorted or skipped as a whole: it may have millions of rows.

The newest LISTED exports of what was asked for are paged; a link leads to those before them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.http import urlencode

LISTED = 1_000  # also the most that one action takes on
_UNREAD = ("options", "warnings")  # may be megabytes a row, and the list shows neither


class BoundedPaginator(Paginator[Any]):
    @cached_property
    def found(self) -> int:
        """How many there are, counted to one more than are listed."""
        jobs = self.object_list
        assert isinstance(jobs, QuerySet)  # noqa: S101  (for the type checker)
        return int(jobs.values("pk")[: LISTED + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.found, LISTED)

    @property
    def is_cut(self) -> bool:
        return self.found > LISTED


class NewestFirst(ChangeList):
    """Always in the order that the indexes have."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        return ["-created_at", "-id"]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return super().get_queryset(request, exclude_parameters).defer(*_UNREAD)

    @property
    def older(self) -> str:
        """The address of what comes after the last page; empty elsewhere."""
        if not self.paginator.is_cut or self.page_num < self.paginator.num_pages:
            return ""
        last = list(self.result_list)[-1]
        kept = {**self.filter_params, "until": last.created_at.isoformat()}
        return f"?{urlencode(kept, doseq=True)}"
