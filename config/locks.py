"""Who guesses passwords is locked out for a while; django-axes keeps the count in the database, for all processes.

Five wrong passwords lock a name from one address, so that nobody is locked out by a stranger elsewhere. Fifty lock
the address, for one who tries many names.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.clients import address_of

log = structlog.get_logger(__name__)
Attempts = QuerySet[AccessAttempt]
MOST_FOR_A_NAME = 5
"""Of one address; settings.AXES_FAILURE_LIMIT is that of the address for all names."""


class Locks(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """On the scale of an address: the last that a name may fail counts as much as the last of an address."""
        of_name, of_address = (
            sum(attempts.values_list("failures_since_start", flat=True))
            for attempts in self.get_user_attempts(request, credentials)
        )
        return int(max(of_name * settings.AXES_FAILURE_LIMIT // MOST_FOR_A_NAME, of_address))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A login forgives its own name only: an own account is no way to guess at others' without end."""
        of_name, _ = self.filter_user_attempts(request, credentials)
        removed, _ = of_name.delete()
        return int(removed)


def address(request: HttpRequest) -> str | None:
    return address_of(request) or None


def locked(
    request: HttpRequest, _answer: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The page for one who is locked out; the right password would not have helped either."""
    seconds = max(1, int(_remaining(request, credentials).total_seconds()))
    log.warning("login_locked", address=address_of(request), seconds=seconds)
    page = render(request, "429.html", {"minutes": -(-seconds // 60)}, status=429)
    page["Retry-After"] = str(seconds)
    return page


def forgive(username: str) -> None:
    """For one who has shown in another way who they are."""
    AxesProxyHandler.reset_attempts(username=username)


def _remaining(request: HttpRequest, credentials: dict[str, Any] | None) -> timedelta:
    attempts: list[Attempts] = AxesProxyHandler.get_implementation().get_user_attempts(request, credentials)
    last = [each.aggregate(last=Max("attempt_time"))["last"] for each in attempts]
    return max(filter(None, last), default=timezone.now()) + settings.AXES_COOLOFF_TIME - timezone.now()
