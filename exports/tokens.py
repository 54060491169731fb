"""Signed tokens for clients without cookies: ten minutes, for one user and one purpose.

They grant nothing by themselves: whoever uses one is looked up again, and every rule is checked again. One that
was made with a key ends with that key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from exports.exceptions import TokenInvalid
from exports.models import ApiToken

LIFETIME = timedelta(minutes=10)
_DOWNLOAD, _STREAM = "exports.download", "exports.stream"


@dataclass(frozen=True)
class Token:
    text: str
    expires_at: datetime


@dataclass(frozen=True)
class Holder:
    """Who was given a token."""

    user: User
    key_id: int | None
    """The key that it was made with; None for a session."""


def for_download(user: User, job_id: UUID, key_id: int | None = None) -> Token:
    return _sign(_DOWNLOAD, Holder(user, key_id), str(job_id))


def download_user(text: str, job_id: UUID) -> User:
    """The active user who was given this token for this job. Raise TokenInvalid."""
    return _holder(_DOWNLOAD, text, str(job_id)).user


def for_stream(user: User, key_id: int | None = None) -> Token:
    """For the WebSocket."""
    return _sign(_STREAM, Holder(user, key_id), "")


def stream_holder(text: str) -> Holder:
    """The active user who was given this token for the WebSocket, and with what. Raise TokenInvalid."""
    return _holder(_STREAM, text, "")


def is_living(key_id: int | None, user: User) -> bool:
    """Whether what was made with this key, or without any, may still be used."""
    return key_id is None or ApiToken.objects.living().filter(pk=key_id, user=user).exists()


def digest(key: str) -> str:
    """What is kept of an API token."""
    return hashlib.sha256(key.encode()).hexdigest()


def _sign(purpose: str, holder: Holder, subject: str) -> Token:
    user = holder.user
    text = signing.dumps([user.pk, subject, user.get_session_auth_hash(), holder.key_id], salt=purpose)
    return Token(text, timezone.now() + LIFETIME)


def _holder(purpose: str, text: str, subject: str) -> Holder:
    """The session hash ends a token, as it ends sessions, when the password changes."""
    try:
        # A token of before an upgrade knows of no key.
        user_id, signed_subject, session_hash, *made_with = signing.loads(
            text, salt=purpose, max_age=LIFETIME
        )
    except signing.BadSignature:
        raise TokenInvalid from None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or signed_subject != subject:
        raise TokenInvalid
    if not constant_time_compare(session_hash, user.get_session_auth_hash()):
        raise TokenInvalid
    holder = Holder(user, made_with[0] if made_with else None)
    if not is_living(holder.key_id, user):
        raise TokenInvalid
    return holder
