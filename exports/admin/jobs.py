"""The list of exports. Nothing of them can be changed but through the lifecycle, by the actions."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exports.admin import acting, columns, filters, job_page, searching
from exports.admin.actions import ACTIONS
from exports.admin.paging import BoundedPaginator, NewestFirst
from exports.models import ExportJob
from projects.admin import ReadOnly


@admin.register(ExportJob)
class ExportJobAdmin(ReadOnly, admin.ModelAdmin[ExportJob]):
    list_display = columns.COLUMNS
    list_display_links = None  # the id is linked by itself
    list_filter = filters.FILTERS
    list_select_related = ("user", "project")
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    paginator = BoundedPaginator
    search_fields = ("id",)
    search_help_text = _(
        "An id or its beginning, a user's name or e-mail address, or part of a project's name."
    )

    class Media:
        css = {"all": ["exports/admin-jobs.css"]}

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[NewestFirst]:
        return NewestFirst

    def lookup_allowed(self, lookup: str, value: object, request: HttpRequest | None = None) -> bool:
        """Any other column would have the whole table read."""
        return lookup in filters.PARAMETERS

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ExportJob], search_term: str
    ) -> tuple[QuerySet[ExportJob], bool]:
        word = search_term.replace("\0", "").strip()
        if not word:
            return queryset, False
        meant = searching.of_job(word)
        return (queryset.none() if meant is None else queryset.filter(meant)), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Those that the user may take; each leads to a page that asks first."""
        return {
            action.name: (partial(acting.chosen_from_list, action), action.name, action.label)
            for action in ACTIONS.values()
            if request.user.has_perm(action.permission)
        }

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if acting.has_unreadable_ids(request):
            raise BadRequest
        context = {"title": gettext("Exports"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """To look at, whoever asks."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_object(request, object_id)
        if job is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        context = self.admin_site.each_context(request) | {"opts": self.opts, "media": self.media}
        shown = job_page.of(job, request.user)
        return TemplateResponse(request, "admin/exports/exportjob/page.html", context | shown)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportJob]:
        return super().get_queryset(request).select_related("project", "user")

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act)
        return [path("act/<str:name>/", act, name="exports_exportjob_act"), *super().get_urls()]

    def act(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask, or do what was asked and report."""
        return acting.page(self, request, name)
