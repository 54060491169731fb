"""A user's own keys for programs: made, shown once, revoked. Whole without scripts."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from exports import keys
from exports.exceptions import InvalidOptions
from exports.key_forms import KeyForm
from exports.models import ApiToken, ApiTokenQuerySet
from exports.views import person

ENDED_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    """The answer to the form is the only one that ever holds the key: no redirect, which would have to keep it."""
    form = KeyForm(request.POST or None)
    if form.is_valid():
        try:
            key, text = keys.create(person(request), form.wanted())
        except InvalidOptions as refusal:
            form.refuse(refusal)
        else:
            return _page(request, KeyForm(), made=key, text=text)
    return _page(request, form, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """The question, and what becomes of a yes."""
    key = get_object_or_404(_keys(request), pk=key_id)
    if request.method != "POST":
        return render(request, "exports/keys_revoke.html", {"key": key})
    keys.revoke(ApiToken.objects.filter(pk=key.pk), person(request))
    messages.success(request, _("The key “%(name)s” was revoked.") % {"name": key.name})
    return redirect("exports:keys")


def _keys(request: HttpRequest) -> ApiTokenQuerySet:
    return ApiToken.objects.filter(user=person(request)).with_state()


def _page(request: HttpRequest, form: KeyForm, *, status: int = 200, **made: object) -> HttpResponse:
    owned = _keys(request)
    ended = owned.ended().order_by(F("revoked_at").desc(nulls_first=True), "-pk")[:ENDED_SHOWN]
    context = {"form": form, "living": owned.living().order_by("-pk"), "ended": ended}
    return render(request, "exports/keys.html", context | made, status=status)
