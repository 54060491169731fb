"""Numbers, sizes and times as a person reads them, in the language of the page."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()


# Django's English is American; these are read alike everywhere.
_ENGLISH = {"DATE_FORMAT": "j M Y", "DATETIME_FORMAT": "j M Y, H:i"}


@register.filter
def grouped(number: int | None) -> str:
    """1234567 as 1,234,567 or 1 234 567."""
    return number_format(number or 0, force_grouping=True)


@register.filter
def in_file_size(count: int | None) -> str:
    """Bytes in the largest unit that keeps a whole number before the point: 4.2 MB."""
    size, units = (
        float(count or 0),
        [_("%(size)s bytes"), _("%(size)s kB"), _("%(size)s MB"), _("%(size)s GB")],
    )
    for unit in units:
        if size < 1000:
            is_whole = size >= 100 or unit is units[0]
            return unit % {"size": number_format(f"{size:.0f}" if is_whole else f"{size:.1f}")}
        size /= 1000
    return _("%(size)s TB") % {"size": number_format(f"{size:.1f}")}


@register.filter
def in_time(seconds: float | None) -> str:
    """A length of time as a person says it: 40 s, 3 min, 2 h."""
    if seconds is None:
        return ""
    if seconds < 90:
        return _("%(number)s s") % {"number": max(1, round(seconds))}
    if seconds < 90 * 60:
        return _("%(number)s min") % {"number": round(seconds / 60)}
    return _("%(number)s h") % {"number": round(seconds / 3600)}


@register.filter
def as_date(at: datetime) -> str:
    """22 Nov 2026, or as the language writes it; of UTC."""
    return date_format(at.astimezone(UTC), _format("DATE_FORMAT"))


@register.filter
def as_moment(at: datetime) -> str:
    """22 Nov 2026, 14:45 UTC, or as the language writes it."""
    return f"{date_format(at.astimezone(UTC), _format('DATETIME_FORMAT'))} UTC"


@register.filter
def as_clock(at: datetime) -> str:
    """To the second, of UTC: 14:45:07."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def _format(name: str) -> str:
    return _ENGLISH[name] if (get_language() or "en").startswith("en") else name


@register.filter
def in_digits(number: float) -> str:
    """With four significant digits, as the language writes it: 0.3225, 0,3225."""
    return number_format(f"{number:.4g}")
