"""Numbers as a person reads them."""

from __future__ import annotations

from django import template

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
