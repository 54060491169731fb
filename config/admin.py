"""The locks of logins: who failed from where in the last quarter of an hour. Deleting one lets its client try again."""

from __future__ import annotations

from axes.models import AccessAttempt
from django.contrib import admin
from django.http import HttpRequest


@admin.register(AccessAttempt)
class AccessAttemptAdmin(admin.ModelAdmin[AccessAttempt]):
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("=username", "=ip_address")
    fields = readonly_fields = (*list_display, "path_info", "user_agent")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
