"""Who asks: a key for programs, or the session of a browser; and what a key must be allowed for that.

Each operation says which it takes: READING or, unless it says so, EXPORTING.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from ninja.errors import AuthorizationError
from ninja.security import APIKeyCookie, HttpBearer

from config.requests import ApiRequest
from exports import keys
from exports.exceptions import ScopeMissing
from exports.models import KeyScope


class _Key(HttpBearer):
    scope: KeyScope

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """Raise ScopeMissing."""
        key = keys.find(token)
        if key is None:
            return None
        keys.note_use(key)
        if not key.allows(self.scope):
            raise ScopeMissing
        cast(ApiRequest, request).key_id = key.pk
        return key.user


class ReadKey(_Key):
    """`Authorization: Bearer KEY`, of any key."""

    scope = KeyScope.READ


class ExportKey(_Key):
    """`Authorization: Bearer KEY`, of a key with the scope `export`."""

    scope = KeyScope.EXPORT


class Session(APIKeyCookie):
    """The session cookie; unsafe methods then need the CSRF token in `X-CSRFToken`."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        """Raise AuthorizationError without the CSRF token, unless nobody is logged in: that is 401 anyway."""
        if request.user.is_authenticated and _lacks_csrf_token(request):
            raise AuthorizationError
        return request.COOKIES.get(self.param_name)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        cast(ApiRequest, request).key_id = None
        return request.user if request.user.is_authenticated else None


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, without rendering the page that Django answers with."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponseForbidden:
        return HttpResponseForbidden(reason)


def _lacks_csrf_token(request: HttpRequest) -> bool:
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # views of the API skip Django's own
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, HttpResponse, (), {}) is not None


READING = [ReadKey(), Session()]
EXPORTING = [ExportKey(), Session()]
