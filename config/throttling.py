"""How often the API may be asked: by each user, with all keys and sessions together, and by each unknown address.

A cancel of somebody who is known is neither counted nor refused: it is what the site promises most. Counts lie
in Redis, which is no more than a help: without it nobody is limited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from limits import RateLimitItem
from ninja.throttling import BaseThrottle

from config.clients import address_of
from config.counting import Count, counter
from config.problems import problem
from exports.exceptions import TooManyRequests

SAFE = ("GET", "HEAD", "OPTIONS")
NEVER_REFUSED = "cancel_export"
_STANDINGS = "_rate_standings"


@dataclass(frozen=True)
class Standing:
    """How much of a limit is left to whoever asked."""

    policy: str
    limit: RateLimitItem
    count: Count

    def __str__(self) -> str:
        return f'"{self.policy}";r={self.count.remaining};t={ceil(self.count.seconds)}'

    @property
    def rule(self) -> str:
        return f'"{self.policy}";q={self.limit.amount};w={self.limit.get_expiry()}'


class Throttle(BaseThrottle):
    """Between authentication and the operation."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Raise TooManyRequests."""
        user = getattr(request, "auth", None)
        if user is None:
            _charge_address(request)
        else:
            _charge_user(request, user.pk)
        return True


def limited(request: HttpRequest, respond: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The answer, or 429 in its place: to who shows nothing before it is looked for, to who fails after."""
    try:
        if not _shows_something(request):
            _charge_address(request)
        response = respond()
        _charge_address(request)
    except TooManyRequests as refusal:
        response = _refused(request, refusal)
    return _described(request, response)


def _shows_something(request: HttpRequest) -> bool:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return has_session or "Authorization" in request.headers or "token" in request.GET


def _charge_user(request: HttpRequest, user_id: int) -> None:
    limits = {"requests": settings.API_RATE_LIMIT}
    if request.method not in SAFE:
        limits["writes"] = settings.API_WRITE_RATE_LIMIT
    match = request.resolver_match
    _charge(request, limits, f"user:{user_id}", is_free=match is not None and match.url_name == NEVER_REFUSED)


def _charge_address(request: HttpRequest) -> None:
    """Unless this request has been counted."""
    if not hasattr(request, _STANDINGS):
        _charge(request, {"anonymous": settings.API_ANONYMOUS_RATE_LIMIT}, f"address:{address_of(request)}")


def _charge(
    request: HttpRequest, limits: dict[str, RateLimitItem], who: str, *, is_free: bool = False
) -> None:
    """Raise TooManyRequests once a limit is reached. Nothing is known of limits that Redis was not there for."""
    standings: list[Standing] = []
    setattr(request, _STANDINGS, standings)
    for policy, limit in limits.items():
        count = counter(settings.REDIS_URL).look(limit, policy, who, cost=0 if is_free else 1)
        if count is None:
            return
        standings.append(Standing(policy, limit, count))
        if not count.is_within:
            raise TooManyRequests


def _refused(request: HttpRequest, refusal: TooManyRequests) -> HttpResponse:
    response = problem(refusal.status, refusal.code, refusal.sentence)
    last: Standing = getattr(request, _STANDINGS)[-1]
    response["Retry-After"] = str(ceil(last.count.seconds))
    return response


def _described(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """With the fields of draft-ietf-httpapi-ratelimit-headers-10."""
    standings: list[Standing] = getattr(request, _STANDINGS)
    if standings:
        response["RateLimit-Policy"] = ", ".join(each.rule for each in standings)
        response["RateLimit"] = ", ".join(map(str, standings))
    return response
