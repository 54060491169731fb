"""The accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from projects import accounts

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    """Deleting an account closes it: its row stays, because the audit of its exports names it."""

    show_full_result_count = False

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the page of confirmation says; nothing protects an account from being closed."""
        sentence = gettext("%(user)s: closed for good; their running exports are cancelled")
        closed = [sentence % {"user": user} for user in objs]
        return closed, {gettext("accounts"): len(closed)}, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        accounts.close(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            accounts.close(user)
