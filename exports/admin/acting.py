"""The pages that ask before an action, and report after it, an export at a time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exports import lifecycle
from exports.admin.actions import ACTIONS, Action, Done, Order
from exports.admin.paging import LISTED
from exports.exceptions import Busy, ExportError
from exports.models import ExportJob
from exports.views import person
from projects.templatetags.wording import grouped

PATIENCE = 3.0  # seconds: a page is answered in time, and what is left is offered again
LONGEST_EXPLANATION = 200
Jobs = admin.ModelAdmin[ExportJob]


class OrderForm(forms.Form):
    number = forms.UUIDField(widget=forms.HiddenInput)
    explanation = forms.CharField(
        label=_("Why"),
        help_text=_("The user reads it in what happened to the export."),
        max_length=LONGEST_EXPLANATION,
        required=False,
    )

    def __init__(self, action: Action, *arguments: Any) -> None:
        super().__init__(*arguments)
        if action.asks_why:
            self.fields["explanation"].required = True
        else:
            del self.fields["explanation"]

    def clean_explanation(self) -> str:
        """One line, of what can be seen."""
        words = " ".join(self.cleaned_data["explanation"].split())
        seen = "".join(each for each in words if each.isprintable()).strip()
        if not seen:
            raise forms.ValidationError(gettext("Say why in words."))
        return seen

    def order(self, request: HttpRequest) -> Order:
        by = lifecycle.actor(person(request))
        return Order(by, self.cleaned_data["number"], self.cleaned_data.get("explanation", ""))


@dataclass(frozen=True)
class Line:
    """What became of one export."""

    job: ExportJob
    outcome: str
    """`done`, `refused`, `busy` or `left`."""
    sentence: str
    led_to: UUID | None = None


def has_unreadable_ids(request: HttpRequest) -> bool:
    return None in [_id(text) for text in request.POST.getlist(ACTION_CHECKBOX_NAME)]


def chosen_from_list(
    action: Action, jobs_admin: Jobs, request: HttpRequest, listed: QuerySet[ExportJob]
) -> HttpResponse | None:
    """The page that asks; None, with a message, when it would be of too many."""
    if request.POST.get("select_across", "0") != "0":
        ids = list(listed.values_list("pk", flat=True)[: LISTED + 1])
    else:
        ids = _ids(request.POST, ACTION_CHECKBOX_NAME)
    if len(ids) > LISTED:
        sentence = gettext("At most %(most)s exports at a time. Filter the list, or choose fewer.")
        jobs_admin.message_user(request, sentence % {"most": grouped(LISTED)}, messages.WARNING)
        return None
    return _question(jobs_admin, request, action, ids, _fresh(action))


def page(jobs_admin: Jobs, request: HttpRequest, name: str) -> HttpResponse:
    action = ACTIONS.get(name)
    if action is None:
        raise Http404
    if not (request.user.has_perm(action.permission) and jobs_admin.has_view_permission(request)):
        raise PermissionDenied
    if request.method != "POST":
        return _question(jobs_admin, request, action, _ids(request.GET, "job"), _fresh(action))
    ids, form = _ids(request.POST, "job"), OrderForm(action, request.POST)
    if not form.is_valid():
        return _question(jobs_admin, request, action, ids, form)
    return _report(
        jobs_admin, request, action, list(_carried_out(action, _chosen(ids), form.order(request))), form
    )


def _question(
    jobs_admin: Jobs, request: HttpRequest, action: Action, ids: list[UUID], form: OrderForm
) -> HttpResponse:
    jobs = _chosen(ids)
    refused = [(job, sentence) for job in jobs if (sentence := action.obstacle(job))]
    hindered = {job.pk for job, _ in refused}
    taken = [job for job in jobs if job.pk not in hindered]
    context = {"form": form, "taken": taken, "refused": refused}
    return _rendered(jobs_admin, request, "question", action, context, status=422 if form.errors else 200)


def _report(
    jobs_admin: Jobs, request: HttpRequest, action: Action, lines: list[Line], form: OrderForm
) -> HttpResponse:
    left = [line.job for line in lines if line.outcome in ("left", "busy")]
    done = sum(line.outcome == "done" for line in lines)
    context = {"lines": lines, "left": left, "done": done, "form": form}
    return _rendered(jobs_admin, request, "report", action, context)


def _rendered(
    jobs_admin: Jobs,
    request: HttpRequest,
    name: str,
    action: Action,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    common = jobs_admin.admin_site.each_context(request)
    common |= {"opts": jobs_admin.opts, "media": jobs_admin.media, "title": action.label, "action": action}
    return TemplateResponse(request, f"admin/exports/exportjob/{name}.html", common | context, status=status)


def _carried_out(action: Action, jobs: list[ExportJob], order: Order) -> Iterator[Line]:
    """Each by itself: what is refused keeps nothing from the others, and nothing is done by halves."""
    until = time.monotonic() + PATIENCE
    for job in jobs:
        if time.monotonic() > until:
            yield Line(job, "left", gettext("Not tried yet."))
            continue
        try:
            done: Done = action.act(job, order)
            yield Line(job, "done", done.sentence, done.led_to)
        except Busy as refusal:
            yield Line(job, "busy", refusal.sentence)
        except ExportError as refusal:
            yield Line(job, "refused", refusal.sentence)


def _chosen(ids: list[UUID]) -> list[ExportJob]:
    """With `may_repeat`, in the order of the list: one query. Raise Http404 when there are none."""
    allowed = ExportJob.objects.with_access().filter(pk=OuterRef("pk"))
    jobs = ExportJob.objects.filter(pk__in=ids).select_related("user", "project").defer("options", "warnings")
    found = list(jobs.annotate(may_repeat=Exists(allowed)))
    if not found:
        raise Http404
    return found


def _ids(sent: QueryDict, name: str) -> list[UUID]:
    """Raise BadRequest."""
    ids = [_id(text) for text in sent.getlist(name)]
    known = list(dict.fromkeys(each for each in ids if each))
    if None in ids or (name == "job" and len(known) > LISTED):
        raise BadRequest
    return known


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _fresh(action: Action) -> OrderForm:
    return OrderForm(action, None, None, "id_%s", None, {"number": uuid.uuid4()})
