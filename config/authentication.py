"""Who asks: a key for programs, or the session of a browser."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from ninja.errors import AuthorizationError
from ninja.security import APIKeyCookie, HttpBearer

from exports import tokens
from exports.models import ApiToken

NOTED_EVERY = timedelta(minutes=1)  # not every request should write


class Bearer(HttpBearer):
    """`Authorization: Bearer TOKEN`, of `manage.py create_api_token`."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        keys = ApiToken.objects.select_related("user")
        key = keys.filter(digest=tokens.digest(token), user__is_active=True).first()
        if key is None:
            return None
        if key.last_used_at is None or timezone.now() - key.last_used_at > NOTED_EVERY:
            ApiToken.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
        return key.user


class Session(APIKeyCookie):
    """The session cookie; unsafe methods then need the CSRF token in `X-CSRFToken`."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        """Raise AuthorizationError without the CSRF token, unless nobody is logged in: that is 401 anyway."""
        if request.user.is_authenticated and _lacks_csrf_token(request):
            raise AuthorizationError
        return request.COOKIES.get(self.param_name)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
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


ANYBODY_KNOWN = [Bearer(), Session()]
