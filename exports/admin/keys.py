"""The keys of programs: made by their users, taken away here."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from exports.models import ApiToken
from projects.admin import ReadOnly


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, admin.ModelAdmin[ApiToken]):
    """Made by `manage.py create_api_token`; taken away here."""

    list_display = ("user", "created_at", "last_used_at")
    list_select_related = ("user",)
    fields = ("user", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("exports.delete_apitoken")
