"""Numbers as a person reads them."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(number: int | None) -> str:
    """1234567 as 1,234,567."""
    return f"{number or 0:,}"


@register.filter
def in_file_size(count: int | None) -> str:
    """Bytes in the largest unit that keeps a whole number before the point: 4.2 MB."""
    size = float(count or 0)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 100 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


@register.filter
def in_digits(number: float) -> str:
    """With four significant digits, as the language writes it: 0.3225, 0,3225."""
    return number_format(f"{number:.4g}")
