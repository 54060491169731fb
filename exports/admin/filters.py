"""Which exports are listed. Other pages link here with these parameters: `?status=`, `?concern=`, `?user=` …"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import DateTimeField, Q, QuerySet
from django.db.models.functions import Now, Trunc
from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exports.admin import searching
from exports.models import ExportJob, ExportJobQuerySet
from exports.states import CancelReason, Status
from exports.wording import FAILURES

LONG_WAIT = timedelta(minutes=5)  # without being called for: a worker is missing, or all are busy

# What somebody should look at, and how it is found.
CONCERNS: dict[str, tuple[Promise, Callable[[ExportJobQuerySet], ExportJobQuerySet]]] = {
    "stuck": (_("Cancelled, files not removed"), lambda jobs: jobs.stuck()),
    "abandoned": (
        _("Worker not heard of"),
        lambda jobs: jobs.abandoned(settings.EXPORT_HEARTBEAT_TIMEOUT),
    ),
    "forgotten": (_("Waiting, nobody comes"), lambda jobs: jobs.forgotten(LONG_WAIT)),
    "overlong": (_("Longer than allowed"), lambda jobs: jobs.overlong(settings.EXPORT_TIMEOUT)),
}


class _Choice(admin.SimpleListFilter):
    """A value that is not offered leaves nothing out."""

    def chosen(self) -> str | None:
        value = self.value()
        return value if value in {key for key, _ in self.lookup_choices} else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.chosen()
        return queryset.filter(**{self.parameter_name or "": value}) if value else queryset


class StatusFilter(_Choice):
    title, parameter_name = _("status"), "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return list(Status.choices)


class CancelReasonFilter(_Choice):
    title, parameter_name = _("reason of the cancel"), "cancel_reason"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return list(CancelReason.choices)


class ErrorFilter(_Choice):
    title, parameter_name = _("error"), "error_code"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(code, code) for code in FAILURES]


class ConcernFilter(_Choice):
    title, parameter_name = _("what needs a look"), "concern"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _) in CONCERNS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.chosen()
        return CONCERNS[name][1](_as_jobs(queryset)) if name else queryset


class AgeFilter(_Choice):
    title, parameter_name = _("age"), "age"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [
            ("today", _("Today (UTC)")),
            ("week", _("Last 7 days")),
            ("month", _("Last 30 days")),
            ("older", _("Older than 30 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        midnight = Trunc(Now(), "day", output_field=DateTimeField(), tzinfo=UTC)
        match self.chosen():
            case "today":
                return queryset.filter(created_at__gte=midnight)
            case "week":
                return queryset.filter(created_at__gte=Now() - timedelta(days=7))
            case "month":
                return queryset.filter(created_at__gte=Now() - timedelta(days=30))
            case "older":
                return queryset.filter(created_at__lt=Now() - timedelta(days=30))
        return queryset


class _Typed(admin.SimpleListFilter):
    """A field to type into, where a list of all values would be too long."""

    template = "admin/exports/exportjob/typed_filter.html"
    kind = "search"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """One "choice": the field, and what else is chosen, which the form has to keep."""
        kept = changelist.get_filters_params().items()
        others = [(name, each) for name, values in kept for each in values if name != self.parameter_name]
        if changelist.query:
            others.append(("q", changelist.query))
        yield {
            "name": self.parameter_name,
            "value": self.typed(),
            "kind": self.kind,
            "others": others,
            "without": changelist.get_query_string(remove=[self.parameter_name or ""]),
        }

    def typed(self) -> str:
        return (self.value() or "").replace("\0", "").strip()


class UserFilter(_Typed):
    title, parameter_name = _("user name"), "user"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _narrowed(queryset, searching.of_person(self.typed())) if self.typed() else queryset


class ProjectFilter(_Typed):
    title, parameter_name = _("project's name or id"), "project"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _narrowed(queryset, searching.of_project(self.typed())) if self.typed() else queryset


class UntilFilter(_Typed):
    """A day, which is meant whole, or a moment."""

    title, parameter_name, kind = _("created until (UTC)"), "until", "text"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        last = _moment(self.typed())
        return queryset.filter(created_at__lte=last) if last else queryset


def _narrowed(queryset: QuerySet[Any], condition: Q | None) -> QuerySet[Any]:
    return queryset.none() if condition is None else queryset.filter(condition)


def _as_jobs(queryset: QuerySet[ExportJob]) -> ExportJobQuerySet:
    assert isinstance(queryset, ExportJobQuerySet)  # noqa: S101  (for the type checker)
    return queryset


def _moment(typed: str) -> datetime | None:
    """None when it cannot be read."""
    try:
        day: date | None = parse_date(typed)
        if day:
            return datetime.combine(day, time.max, UTC)
        found = parse_datetime(typed)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


FILTERS: list[Any] = [
    StatusFilter,
    ConcernFilter,
    AgeFilter,
    UserFilter,
    ProjectFilter,
    UntilFilter,
    CancelReasonFilter,
    ErrorFilter,
]
PARAMETERS = frozenset(str(each.parameter_name) for each in FILTERS)
