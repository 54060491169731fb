"""The life of a key for programs: made and shown once, then only its digest is known, until it is revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from exports import tokens
from exports.exceptions import InvalidOptions
from exports.models import ApiToken, ApiTokenQuerySet, KeyScope
from exports.models.keys import HINT_LENGTH, MAX_KEY_NAME

log = structlog.get_logger(__name__)
PREFIX = "csh_"  # so that programs which look for leaked secrets can know one
RANDOM_BYTES = 36  # of which the hint gives away three
MOST_LIVING = 500
DAYS = (30, 90, 365)
DEFAULT_DAYS = 90
NOTED_EVERY = timedelta(minutes=1)  # not every request should write


@dataclass(frozen=True)
class Wanted:
    """The key that somebody wants."""

    name: str | None
    """None: the first that is free."""
    scope: str
    days: int | None
    """None: for ever."""


def create(user: User, wanted: Wanted) -> tuple[ApiToken, str]:
    """The row, and the key itself, which nobody can show again. Raise InvalidOptions."""
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    with transaction.atomic():
        owned = _keys_of(user)
        _refuse_what_cannot_be(owned, wanted)
        key = ApiToken.objects.create(
            user=user,
            name=_free_name(owned) if wanted.name is None else _usable_name(owned, wanted.name),
            scope=wanted.scope,
            digest=tokens.digest(text),
            hint=text[:HINT_LENGTH],
            expires_at=None if wanted.days is None else Now() + timedelta(days=wanted.days),
        )
    log.info("key_created", key=key.pk, user=user.pk, scope=wanted.scope)
    return ApiToken.objects.with_state().get(pk=key.pk), text


def find(text: str) -> ApiToken | None:
    """The living key of an active user, with its user."""
    keys = ApiToken.objects.living().select_related("user")
    return keys.filter(digest=tokens.digest(text), user__is_active=True).first()


def note_use(key: ApiToken) -> None:
    if key.last_used_at is None or timezone.now() - key.last_used_at > NOTED_EVERY:
        ApiToken.objects.filter(pk=key.pk).update(last_used_at=Now())


def revoke(chosen: ApiTokenQuerySet, by: User) -> int:
    """How many were: from now on they let nobody in, nor do the tokens that were made with them."""
    key_ids = list(chosen.filter(revoked_at=None).values_list("pk", flat=True))
    revoked = ApiToken.objects.filter(pk__in=key_ids).revoke()
    log.info("keys_revoked", keys=key_ids, user=by.pk)
    return revoked


def _keys_of(user: User) -> ApiTokenQuerySet:
    """Under the lock of their user: names and numbers hold until the transaction ends."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return ApiToken.objects.filter(user=user)


def _refuse_what_cannot_be(owned: ApiTokenQuerySet, wanted: Wanted) -> None:
    if wanted.scope not in KeyScope.values:
        raise _refused("scope", _("Choose what the key may do."))
    if wanted.days not in (*DAYS, None):
        raise _refused("days", _("Choose how long the key is valid."))
    if owned.living().count() >= MOST_LIVING:
        sentence = _("You have %(most)s keys, and can have no more. Revoke one that you do not need.")
        raise _refused("name", sentence % {"most": MOST_LIVING})


def _usable_name(owned: ApiTokenQuerySet, given: str) -> str:
    """Without what cannot be seen."""
    name = "".join(each for each in " ".join(given.split()) if each.isprintable())
    if not 0 < len(name) <= MAX_KEY_NAME:
        raise _refused("name", _("Use a name of 1 to %(most)s characters.") % {"most": MAX_KEY_NAME})
    if _is_taken(owned, name):
        raise _refused(
            "name", _("You have a key of this name. Choose another name, or revoke that key first.")
        )
    return name


def _is_taken(owned: ApiTokenQuerySet, name: str) -> bool:
    """Compared as the constraint does."""
    folded = owned.filter(revoked_at=None).alias(folded=Lower("name"))
    return folded.filter(folded=Lower(Value(name))).exists()


def _free_name(owned: ApiTokenQuerySet) -> str:
    names = (f"Key {number}" for number in count(1))
    return next(name for name in names if not _is_taken(owned, name))


def _refused(field: str, sentence: str) -> InvalidOptions:
    return InvalidOptions(sentence, fields={field: sentence})
