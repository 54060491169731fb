"""Scripts of a page, with all that they import asked for at once: no module waits for another to be read first."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config.static_files import IMPORT

register = template.Library()


@register.simple_tag
def modules(*names: str) -> SafeString:
    """The modules of these names, which run before the page is shown, and whatever they need."""
    needed = sorted({each for name in names for each in _needed_by(name)} - set(names))
    preloads = format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(each),) for each in needed)
    )
    scripts = format_html_join(
        "\n",
        '<script type="module" blocking="render" src="{}"></script>',
        ((static(each),) for each in names),
    )
    return preloads + SafeString("\n") + scripts


@lru_cache(maxsize=64)
def _needed_by(name: str) -> frozenset[str]:
    """Directly or not. Raise FileNotFoundError."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        imported = set(_imported_by(waiting.pop())) - found
        found |= imported
        waiting.extend(imported)
    return frozenset(found)


def _imported_by(name: str) -> Iterator[str]:
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(name)
    for found in re.finditer(IMPORT, Path(path).read_text()):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(name), found["url"]))
