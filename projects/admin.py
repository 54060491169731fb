"""A look at projects and images, which can be removed and restored; and the accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from projects import accounts
from projects.models import Image, Membership, Project, ProjectQuerySet


class ReadOnly:
    """For model admins and inlines: whoever may view, views."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MembershipInline(ReadOnly, admin.TabularInline[Membership, Project]):
    model = Membership


@admin.register(Project)
class ProjectAdmin(ReadOnly, admin.ModelAdmin[Project]):
    list_display = ("name", "owner", "created_at", "removed_at")
    list_filter = (("removed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("owner",)
    search_fields = ("=id", "name", "owner__username")
    inlines = (MembershipInline,)
    actions = ("remove_selected", "restore_selected")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("projects.delete_project")

    @admin.action(description="Remove selected projects", permissions=["remove"])
    def remove_selected(self, request: HttpRequest, projects: ProjectQuerySet) -> None:
        removed = projects.remove()
        sentence = "Their running exports are being cancelled. “Restore selected projects” brings them back."
        self.message_user(request, f"Projects removed: {removed}. {sentence}", messages.SUCCESS)

    @admin.action(description="Restore selected projects", permissions=["remove"])
    def restore_selected(self, request: HttpRequest, projects: ProjectQuerySet) -> None:
        self.message_user(request, f"Projects restored: {projects.restore()}.", messages.SUCCESS)


@admin.register(Image)
class ImageAdmin(ReadOnly, admin.ModelAdmin[Image]):
    list_display = ("name", "project", "width", "height", "size", "created_at", "removed_at")
    list_select_related = ("project",)
    search_fields = ("=id", "name", "project__name")
    exclude = ("file", "segmentation")
    show_full_result_count = False


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    """Deleting an account closes it: its row stays, because the audit of its exports names it."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the page of confirmation says; nothing protects an account from being closed."""
        closed = [f"{user}: closed for good; its running exports are cancelled" for user in objs]
        return closed, {"accounts": len(closed)}, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        accounts.close(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            accounts.close(user)
