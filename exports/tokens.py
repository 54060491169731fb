"""Signed tokens for clients without cookies: ten minutes, for one user and one purpose.

They grant nothing by themselves: whoever uses one is looked up again, and every rule is checked again.
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

LIFETIME = timedelta(minutes=10)
_DOWNLOAD, _STREAM = "exports.download", "exports.stream"


@dataclass(frozen=True)
class Token:
    text: str
    expires_at: datetime


def for_download(user: User, job_id: UUID) -> Token:
    return _sign(_DOWNLOAD, user, str(job_id))


def download_user(text: str, job_id: UUID) -> User:
    """The active user who was given this token for this job. Raise TokenInvalid."""
    return _user(_DOWNLOAD, text, str(job_id))


def for_stream(user: User) -> Token:
    """For the WebSocket."""
    return _sign(_STREAM, user, "")


def stream_user(text: str) -> User:
    """The active user who was given this token for the WebSocket. Raise TokenInvalid."""
    return _user(_STREAM, text, "")


def digest(key: str) -> str:
    """What is kept of an API token."""
    return hashlib.sha256(key.encode()).hexdigest()


def _sign(purpose: str, user: User, subject: str) -> Token:
    text = signing.dumps([user.pk, subject, user.get_session_auth_hash()], salt=purpose)
    return Token(text, timezone.now() + LIFETIME)


def _user(purpose: str, text: str, subject: str) -> User:
    """The session hash ends a token, as it ends sessions, when the password changes."""
    try:
        user_id, signed_subject, session_hash = signing.loads(text, salt=purpose, max_age=LIFETIME)
    except signing.BadSignature:
        raise TokenInvalid from None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or signed_subject != subject:
        raise TokenInvalid
    if not constant_time_compare(session_hash, user.get_session_auth_hash()):
        raise TokenInvalid
    return user
