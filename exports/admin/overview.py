"""How the hub does: the last weeks as plots, and what needs a look. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exports import crew, figures, files, statistics
from exports.admin.filters import CONCERNS
from exports.admin.paging import LISTED
from exports.admin.plots import Chart, Series
from exports.models import ExportJob, Letter
from exports.states import Status

SIZE_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0))


@require_safe
@never_cache
@permission_required("exports.view_exportjob", raise_exception=True)
def overview(request: HttpRequest) -> HttpResponse:
    now = figures.clock()
    held = figures.held(now)
    shown = {
        **admin.site.each_context(request),
        "title": gettext("Overview"),
        "now": now,
        **essentials(),
        "held": held,
        "charts": [_outcomes(now), _durations(), _depth(now), _held(now, held)],
    }
    return TemplateResponse(request, "admin/overview.html", shown)


@dataclass(frozen=True)
class Concern:
    """Exports that need a look, counted to one more than a list shows."""

    name: str
    """The parameter of the list that shows them."""
    words: Promise
    count: int

    @property
    def is_cut(self) -> bool:
        return self.count > LISTED


def essentials() -> dict[str, Any]:
    """What is true at this moment; for the front page of the admin too."""
    return {
        "active": figures.active(),
        "concerns": [_concern(name) for name in CONCERNS],
        "letters_given_up": Letter.objects.given_up().count(),
        "listed": LISTED,
        "crew": crew.alive(),
        "last_sweep": statistics.sweeps().last,
        "free_bytes": _free_bytes(),
    }


def _concern(name: str) -> Concern:
    words, narrowed = CONCERNS[name]
    found = narrowed(ExportJob.objects.order_by())
    return Concern(name, words, found.values("pk")[: LISTED + 1].count())


def _free_bytes() -> int | None:
    try:
        return files.free_bytes()
    except OSError:
        return None


def _outcomes(now: datetime) -> Chart:
    counted = figures.outcomes(now)
    days = figures.days(now)
    groups = (
        ("completed", gettext("Completed"), (Status.COMPLETED,)),
        ("expired", gettext("Completed, file removed since"), (Status.EXPIRED,)),
        ("failed", gettext("Failed"), (Status.FAILED,)),
        ("cancelled", gettext("Cancelled"), (Status.CANCELLED,)),
        ("active", gettext("Not ended yet"), (Status.PENDING, Status.PROCESSING)),
    )
    return Chart(
        "outcomes",
        gettext("Exports a day by outcome"),
        unit=gettext("exports"),
        heading=gettext("Day asked for"),
        columns=tuple(f"{day:%Y-%m-%d}" for day in days),
        marks=tuple(f"{day:%m-%d}" for day in days),
        series=tuple(
            Series(kind, name, tuple(sum(counted.get((day, each), 0) for each in statuses) for day in days))
            for kind, name, statuses in groups
        ),
    )


def _durations() -> Chart:
    found = figures.durations()
    unit, seconds = _time_unit([each.percentile_95 for each in found])
    series = (
        ("median", gettext("Median"), [each.median for each in found]),
        ("high", gettext("95th percentile"), [each.percentile_95 for each in found]),
    )
    count = sum(each.exports for each in found)
    return Chart(
        "durations",
        gettext("How long an export takes, by its size"),
        unit=unit,
        heading=gettext("Images"),
        columns=tuple(_size_class(each.smallest) for each in found),
        marks=tuple(_size_class(each.smallest) for each in found),
        series=tuple(Series(kind, name, _scaled(values, seconds)) for kind, name, values in series),
        is_stacked=False,
        least_step=0.1,
        note=ngettext(
            "From claim to completion, of the newest completed export.",
            "From claim to completion, of the newest %(count)s completed exports.",
            count,
        )
        % {"count": count},
    )


def _depth(now: datetime) -> Chart:
    points = figures.depth(now)
    names = tuple(f"{moment:%m-%d %H:%M}" for moment, _ in points)
    waiting = tuple(float(count) for _, count in points)
    return Chart(
        "depth",
        gettext("Exports that waited, over the last 24 hours"),
        unit=gettext("exports"),
        heading=gettext("Time (UTC)"),
        columns=names,
        marks=tuple(name[-5:] for name in names),
        series=(Series("waiting", gettext("Waiting"), waiting),),
        note=gettext("One that was given back to the queue counts as waiting since it was asked for."),
    )


def _held(now: datetime, held: figures.Held) -> Chart:
    days = figures.days(now)
    sizes = [held.by_day[day] for day in days]
    unit, factor = next((each for each in SIZE_UNITS if max(sizes) >= each[1]), SIZE_UNITS[-1])
    return Chart(
        "held",
        gettext("Size of the archives that are kept, by day"),
        unit=unit,
        heading=gettext("Day completed"),
        columns=tuple(f"{day:%Y-%m-%d}" for day in days),
        marks=tuple(f"{day:%m-%d}" for day in days),
        series=(Series("held", gettext("Archives"), _scaled(sizes, factor)),),
        least_step=0.1,
    )


def _size_class(smallest: int) -> str:
    """The images of one class of size, such as 11–100."""
    place = figures.SIZES.index(smallest) + 1
    return f"{smallest}–{figures.SIZES[place] - 1}" if place < len(figures.SIZES) else f"≥ {smallest}"


def _time_unit(seconds: Sequence[float]) -> tuple[str, float]:
    highest = max(seconds, default=0)
    if highest >= 2 * 3600:
        return gettext("hours"), 3600
    return (gettext("minutes"), 60) if highest >= 2 * 60 else (gettext("seconds"), 1)


def _scaled(values: Sequence[float], unit: float) -> tuple[float, ...]:
    return tuple(round(value / unit, 2) for value in values)
