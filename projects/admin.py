"""A look at projects and images; what is in them is changed by the pages and commands."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from projects.models import Image, Membership, Project


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
    list_display = ("name", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("=id", "name", "owner__username")
    inlines = (MembershipInline,)


@admin.register(Image)
class ImageAdmin(ReadOnly, admin.ModelAdmin[Image]):
    list_display = ("name", "project", "width", "height", "size", "created_at", "removed_at")
    list_select_related = ("project",)
    search_fields = ("=id", "name", "project__name")
    exclude = ("file", "segmentation")
    show_full_result_count = False
