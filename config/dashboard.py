"""RQ's own pages, to look at: what they offer to change is refused, for only the lifecycle changes exports."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django_rq.urls import get_admin_urlpatterns
from redis.exceptions import RedisError
from rq.exceptions import InvalidJobOperation, NoSuchJobError

from exports import dispatch

View = Callable[..., HttpResponse]
app_name = "django_rq"

LOOKING = frozenset({
    *("stats", "jobs", "queue_details", "workers", "worker_details", "job_detail", "result_detail"),
    *("started_jobs", "finished_jobs", "failed_jobs", "scheduled_jobs", "deferred_jobs"),
})  # fmt: skip
"""The pages that only read, by the names of RQ's views: whatever an upgrade adds is refused until it stands here."""

GONE = (NoSuchJobError, InvalidJobOperation, IndexError, ValueError, AssertionError)
"""How RQ's pages fail when what they are asked for is not there (any more)."""


def looking(view: View) -> View:
    """For staff who may see exports. Anything but reading is 405, and 503 says that Redis is away."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if view.__name__ not in LOOKING or request.method not in ("GET", "HEAD"):
            return _refusal(request)
        try:
            dispatch.connection().ping()  # which is patient for a second; RQ's own connection has no limit
            return view(request, *args, **kwargs)
        except RedisError:
            return _away(request)
        except GONE as reason:
            raise Http404("RQ does not know of it (any more).") from reason

    allowed = permission_required("exports.view_exportjob", raise_exception=True)(guarded)
    return never_cache(admin.site.admin_view(allowed))


def _refusal(request: HttpRequest) -> HttpResponse:
    page = render(request, "admin/queue_refusal.html", admin.site.each_context(request), status=405)
    page["Allow"] = "GET, HEAD"
    return page


def _away(request: HttpRequest) -> HttpResponse:
    page = render(request, "admin/queue_away.html", admin.site.each_context(request), status=503)
    page["Retry-After"] = "5"
    return page


urlpatterns = get_admin_urlpatterns(view_wrapper=looking)
