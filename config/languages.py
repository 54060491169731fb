"""The words of the pages' scripts, in the language of the page."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe
from django.views.i18n import JavaScriptCatalog


class _Catalogue(JavaScriptCatalog):
    """The site's own messages, without those of the admin."""

    domain = "djangojs"
    packages = ["site"]

    def get_paths(self, packages: list[str]) -> list[str]:
        return [str(path) for path in settings.LOCALE_PATHS]


@lru_cache
def _digest(language: str) -> str:
    """Of the compiled catalogue."""
    locale = translation.to_locale(language)
    paths = [Path(folder) / locale / "LC_MESSAGES" / "djangojs.mo" for folder in settings.LOCALE_PATHS]
    content = b"".join(path.read_bytes() for path in paths if path.exists())
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _etag(request: HttpRequest, language: str) -> str | None:
    return _digest(language) if language in dict(settings.LANGUAGES) else None


@require_safe
@cache_control(no_cache=True)
@etag(_etag)
def words(request: HttpRequest, language: str) -> HttpResponseBase:
    """The catalogue of a language as a script. Raise Http404 for one that is not offered."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        answer = _Catalogue.as_view()(request)
    answer["Content-Language"] = language
    return answer
