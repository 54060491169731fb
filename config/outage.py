"""Pages while the database is away: a calm 503 instead of an error of ours. The API says so by itself."""

from __future__ import annotations

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

log = structlog.get_logger(__name__)
RETRY_AFTER = "5"  # seconds


class OutageMiddleware(MiddlewareMixin):
    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        log.warning("database_unavailable", path=request.path, error=repr(exception))
        # Without the request: its user would have to be read from the database.
        page = HttpResponse(render_to_string("503.html"), status=503)
        page["Retry-After"] = RETRY_AFTER
        return page
