"""Who watches a stream: found out at the handshake, and made sure of again while the socket is open."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, cast
from urllib.parse import parse_qs

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from exports import events
from exports.exceptions import TokenInvalid
from exports.scopes import Scope
from exports.tokens import Holder, is_living, stream_holder

LONGEST_TOKEN_STREAM = 4 * 3600.0  # seconds: nobody can log a token out


@dataclass(frozen=True)
class Watcher:
    user: User
    session_key: str | None
    """None for one who came with a token."""
    key_id: int | None
    """The key that this token was made with, if any."""
    session_hash: str
    """Changes with the password."""
    admitted_at: float
    """Seconds of the monotonic clock."""
    scope: Scope

    @property
    def groups(self) -> list[str]:
        """Where what the watcher is told of is announced."""
        own = [events.group_of(self.user.pk)]
        return own if self.scope is Scope.OWN else [*own, events.owner_group_of(self.user.pk)]


async def admit(scope: Any) -> Watcher | None:
    """The user of the token in the address, or else of the session cookie; None when there is none.

    `scope` is that of a WebSocket below AuthMiddlewareStack.
    """
    query = parse_qs(scope["query_string"].decode("latin-1"))
    wanted = Scope.VISIBLE if query.get("scope") == [Scope.VISIBLE] else Scope.OWN
    if token := query.get("token"):
        holder = await _token_holder(token[0])
        return _watcher(holder.user, wanted, key_id=holder.key_id) if holder else None
    return _watcher(scope["user"], wanted, session_key=scope["session"].session_key)


async def still_there(watcher: Watcher) -> Watcher | None:
    """The watcher with the user's row read again; None once session, key, account or time is over."""
    user = await _user_now(watcher)
    if user is None or not user.is_active or user.pk != watcher.user.pk:
        return None
    if not constant_time_compare(user.get_session_auth_hash(), watcher.session_hash):
        return None
    return replace(watcher, user=user)


@database_sync_to_async
def _token_holder(text: str) -> Holder | None:
    try:
        return stream_holder(text)
    except TokenInvalid:
        return None


def _watcher(
    user: Any, scope: Scope, *, session_key: str | None = None, key_id: int | None = None
) -> Watcher | None:
    if not user.is_authenticated or not user.is_active:
        return None
    session_hash, now = user.get_session_auth_hash(), time.monotonic()
    return Watcher(user, session_key, key_id, session_hash, now, scope)


async def _user_now(watcher: Watcher) -> User | None:
    if watcher.session_key:
        found = await get_user(cast(Any, {"session": _session(watcher.session_key)}))
        return found if isinstance(found, User) else None
    if time.monotonic() - watcher.admitted_at > LONGEST_TOKEN_STREAM:
        return None
    return await _token_user(watcher)


@database_sync_to_async
def _token_user(watcher: Watcher) -> User | None:
    user = User.objects.filter(pk=watcher.user.pk).first()
    return user if user and is_living(watcher.key_id, user) else None


def _session(key: str) -> SessionBase:
    """Read from its store when it is used, not before."""
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store(key)
