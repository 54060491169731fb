"""Logging in and out, and passwords: Django's own views in the site's look."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.db import Error as DatabaseFault
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from config import locks
from config.clients import address_of
from config.mailing import NOWHERE

log = structlog.get_logger(__name__)
AN_ADDRESS, A_MAILBOX = RateLimitItemPerHour(20), RateLimitItemPerHour(3)

_asked = FixedWindowRateLimiter(MemoryStorage())  # of this process
# Sent beside the answer, which would tell by its time whether there is such an account.
_postmen = ThreadPoolExecutor(2, thread_name_prefix="password-letters")


def is_reset_offered() -> bool:
    return settings.EMAIL_BACKEND != NOWHERE


class Login(views.LoginView):
    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(is_reset_offered=is_reset_offered(), **context)


class Reset(views.PasswordResetView):
    """The answer is the same whether there is such an account or not."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _asked.hit(AN_ADDRESS, address_of(request)):
            page = render(request, "429.html", {"minutes": 60}, status=429)
            page["Retry-After"] = "3600"
            return page
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        if _asked.hit(A_MAILBOX, form.cleaned_data["email"].casefold()):
            _postmen.submit(_send, form, translation.get_language())
        return redirect(self.get_success_url())


class Confirm(views.PasswordResetConfirmView):
    def form_valid(self, form: Any) -> HttpResponse:
        locks.forgive(form.user.get_username())
        return super().form_valid(form)


def _send(form: PasswordResetForm, language: str) -> None:
    """The link leads to SITE_URL: what a request calls the site is its sender's choice."""
    site = urlsplit(settings.SITE_URL)
    try:
        with translation.override(language):
            form.save(domain_override=site.netloc, use_https=site.scheme == "https")
    except (OSError, DatabaseFault) as error:
        log.warning("password_letter_not_sent", error=repr(error))
    finally:
        connections.close_all()


def _by_mail(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Raise Http404 where the hub sends no e-mail."""

    @wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        if not is_reset_offered():
            raise Http404
        return view(request, **named)

    return answer


urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password_change/", views.PasswordChangeView.as_view(), name="password_change"),
    path("password_change/done/", views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("password_reset/", _by_mail(Reset.as_view()), name="password_reset"),
    path("password_reset/done/", _by_mail(views.PasswordResetDoneView.as_view()), name="password_reset_done"),
    path("reset/<uidb64>/<token>/", _by_mail(Confirm.as_view()), name="password_reset_confirm"),
    path("reset/done/", views.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
]
