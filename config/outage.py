"""The database is away: what that looks like, and the calm page that says so. The API says so by itself."""

from __future__ import annotations

import structlog
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

log = structlog.get_logger(__name__)
RETRY_AFTER = "5"  # seconds

OUTAGE = (OperationalError, InterfaceError, InternalError)
"""The connection or the transaction was ended: what became of a write, only the row knows.

InternalError is how a session comes to know that it was idle in its transaction for too long.
"""


class OutageMiddleware(MiddlewareMixin):
    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OUTAGE):
            return None
        log.warning("database_unavailable", path=request.path, error=repr(exception))
        # Without the request: its user would have to be read from the database.
        page = HttpResponse(render_to_string("503.html"), status=503)
        page["Retry-After"] = RETRY_AFTER
        return page
