"""No request brings more than the site takes, and none keeps the database from others."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext

from config.problems import problem


class BodyLimitMiddleware(MiddlewareMixin):
    """Django's own limit leaves out the files of a form, of which there are none here."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:18]) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        if request.path_info.startswith("/api/"):
            return problem(413, "too_large", gettext("The body is too large."))
        return render(request, "413.html", status=413)


class StreamMiddleware(MiddlewareMixin):
    """A reader may take hours over an answer; the database is not needed for what is left of it."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming and not connection.in_atomic_block:
            connection.close()
        return response
