"""The keys of programs: made by their users, revoked here. A key itself is known to nobody, its digest is not shown."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from exports import keys
from exports.models import ApiToken, ApiTokenQuerySet, KeyScope, KeyState
from projects.admin import ReadOnly


class _Choice(admin.SimpleListFilter):
    """A value that is not offered leaves nothing out."""

    choices_offered: type[KeyScope] | type[KeyState]

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return list(self.choices_offered.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
        value = self.value()
        is_offered = value in self.choices_offered.values
        return queryset.filter(**{str(self.parameter_name): value}) if is_offered else queryset


class StateFilter(_Choice):
    title, parameter_name, choices_offered = _("state"), "state", KeyState


class ScopeFilter(_Choice):
    title, parameter_name, choices_offered = _("scope"), "scope", KeyScope


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, admin.ModelAdmin[ApiToken]):
    list_display = ("name", "user", "scope", "hint", "state", "created_at", "last_used_at", "expires_at")
    list_filter = (StateFilter, ScopeFilter, "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__username")
    search_help_text = _("Name, how the key begins, or the user's name.")
    ordering = ("-created_at", "-pk")
    show_full_result_count = False
    fields = (
        "name",
        "user",
        "scope",
        "hint",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "state",
    )
    readonly_fields = ("state",)
    actions = ("revoke_selected",)

    def get_queryset(self, request: HttpRequest) -> ApiTokenQuerySet:
        return ApiToken.objects.with_state().defer("digest")

    @admin.display(description=_("state"))
    def state(self, key: Any) -> str:
        return str(KeyState(key.state).label)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("exports.change_apitoken")

    @admin.action(description=_("Revoke selected keys"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        count = keys.revoke(ApiToken.objects.filter(pk__in=chosen.values("pk")), cast(User, request.user))
        sentence = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", count)
        self.message_user(request, sentence % {"count": count}, messages.SUCCESS)
