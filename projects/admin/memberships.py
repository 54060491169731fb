"""Who may see whose project: added, given another role, removed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from projects.admin.reading import FirstOnes
from projects.models import Membership, Project

MOST_MEANT = 200  # people, or projects, that one word stands for


class MembershipForm(forms.ModelForm[Membership]):
    class Meta:
        help_texts = {
            "role": _(
                "Who becomes a viewer may not export any more: their running exports of the project are cancelled"
                " within 15 seconds."
            )
        }

    def clean(self) -> dict[str, Any] | None:
        project, user = self.cleaned_data.get("project"), self.cleaned_data.get("user")
        if project and user:
            _check(project, user)
        return super().clean()


def _check(project: Project, user: User) -> None:
    names = {"user": user.get_username(), "project": project.name}
    if project.owner_id == user.pk:
        raise ValidationError(gettext("%(user)s owns %(project)s and may do everything in it.") % names)
    if not user.is_active:
        raise ValidationError(gettext("The account of %(user)s is closed.") % names)
    if Membership.objects.filter(project=project, user=user).exists():
        raise ValidationError(gettext("%(user)s is a member of %(project)s already.") % names)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    """Losing a membership needs nothing else: the sweep ends the exports that lost their right."""

    form = MembershipForm
    fields = ("project", "user", "role")
    autocomplete_fields = ("project", "user")
    list_display = ("user", "project", "role")
    list_filter = ("role",)
    list_select_related = ("user", "project")
    ordering = ("-pk",)
    paginator = FirstOnes
    search_fields = ("user__username",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Membership], search_term: str
    ) -> tuple[QuerySet[Membership], bool]:
        """By people and by projects, not by the rows of both joined: there may be a million."""
        word = search_term.strip()
        if not word:
            return queryset, False
        people = User.objects.filter(Q(username__icontains=word) | Q(email__icontains=word)).order_by(
            "username"
        )
        places = Project.objects.filter(name__icontains=word).order_by("name")
        meant = (list(found.values_list("pk", flat=True)[:MOST_MEANT]) for found in (people, places))
        user_ids, project_ids = meant
        return queryset.filter(Q(user__in=user_ids) | Q(project__in=project_ids)), False

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        """A membership is of one person and one project for ever."""
        return ("project", "user") if obj else ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            sentence = gettext("Somebody else has just made this membership: nothing was changed.")
            self.message_user(request, sentence, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the page of confirmation says."""
        sentence = gettext(
            "%(user)s no longer sees %(project)s; their running exports of it are cancelled within 15 seconds"
        )
        ended = [sentence % {"user": each.user, "project": each.project} for each in objs]
        kind = ngettext("membership", "memberships", len(ended))
        lacking = set() if self.has_delete_permission(request) else {kind}
        return ended, {kind: len(ended)}, lacking, []
