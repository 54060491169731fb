"""The languages that a reader may choose from."""

from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def offered_languages() -> list[tuple[str, str]]:
    """Code and name of each, the name in the language itself: Django's own tag translates it."""
    return list(settings.LANGUAGES)
