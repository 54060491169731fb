"""A look at projects and their members; projects are removed and given back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Count, Manager, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from projects.admin import removal
from projects.admin.reading import FirstOnes, ReadOnly
from projects.models import Image, Membership, Project, ProjectQuerySet

MOST_MEMBERS = 200  # on a project's page; the list of memberships has all


@admin.register(Project)
class ProjectAdmin(ReadOnly, admin.ModelAdmin[Project]):
    list_display: tuple[str, ...] = (
        "name",
        "owner",
        "image_count",
        "member_count",
        "created_at",
        "removed_at",
    )
    list_filter = (("removed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("owner",)
    search_fields = ("=id", "name", "owner__username")
    paginator = FirstOnes
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ("name", "created_at", "removed_at")
    fields = ("id", "name", "description", "owner", "created_at", "removed_at")
    actions = ("remove_selected", "restore_selected")
    change_form_template = "admin/projects/project/page.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the counts of this page's projects only: one query each, however many others there are."""
        shown = super().get_changelist_instance(request)
        shown.result_list = self.counted(list(shown.result_list))
        return shown

    def counted(self, projects: list[Any]) -> list[Any]:
        keys = [project.pk for project in projects]
        images, members = _by_project(Image.objects.present(), keys), _by_project(Membership.objects, keys)
        for project in projects:
            project.images_in, project.members_in = images.get(project.pk, 0), members.get(project.pk, 0)
        return projects

    @admin.display(description=_("Images"))
    def image_count(self, project: Any) -> int:
        return int(project.images_in)

    @admin.display(description=_("Members"))
    def member_count(self, project: Any) -> int:
        return int(project.members_in)

    def running(self, projects: Iterable[UUID]) -> dict[UUID, int]:
        """How many exports of each would end with it; nothing here knows of exports."""
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        project = self.get_object(request, unquote(object_id))
        members = Membership.objects.filter(project=project).select_related("user").order_by("user__username")
        shown = {
            "members": members[:MOST_MEMBERS] if project else (),
            "member_count": members.count() if project else 0,
            "may_add_member": request.user.has_perm("projects.add_membership"),
            "may_change_member": request.user.has_perm("projects.change_membership"),
            "may_remove_member": request.user.has_perm("projects.delete_membership"),
            "may_remove": self.has_remove_permission(request),
        }
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("projects.delete_project")

    @admin.action(description=_("Remove selected projects"), permissions=["remove"])
    def remove_selected(self, request: HttpRequest, projects: ProjectQuerySet) -> HttpResponse | None:
        return removal.page(self, request, projects, removal.REMOVE)

    @admin.action(description=_("Restore selected projects"), permissions=["remove"])
    def restore_selected(self, request: HttpRequest, projects: ProjectQuerySet) -> HttpResponse | None:
        return removal.page(self, request, projects, removal.RESTORE)


def _by_project(rows: Manager[Any] | QuerySet[Any], projects: list[UUID]) -> dict[UUID, int]:
    found = rows.filter(project__in=projects).order_by().values_list("project").annotate(n=Count("pk"))
    return dict(found)
