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
from exports.tokens import stream_user

LONGEST_TOKEN_STREAM = 4 * 3600.0  # seconds: nobody can log a token out


@dataclass(frozen=True)
class Watcher:
    user: User
    session_key: str | None
    """None for one who came with a token."""
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
        return _watcher(await _token_user(token[0]), None, wanted)
    return _watcher(scope["user"], scope["session"].session_key, wanted)


async def still_there(watcher: Watcher) -> Watcher | None:
    """The watcher with the user's row read again; None once the session, the account or the time is over."""
    user = await _user_now(watcher)
    if user is None or not user.is_active or user.pk != watcher.user.pk:
        return None
    if not constant_time_compare(user.get_session_auth_hash(), watcher.session_hash):
        return None
    return replace(watcher, user=user)


@database_sync_to_async
def _token_user(text: str) -> User | None:
    try:
        return stream_user(text)
    except TokenInvalid:
        return None


def _watcher(user: Any, session_key: str | None, scope: Scope) -> Watcher | None:
    if user is None or not user.is_authenticated or not user.is_active:
        return None
    return Watcher(user, session_key, user.get_session_auth_hash(), time.monotonic(), scope)


async def _user_now(watcher: Watcher) -> User | None:
    if watcher.session_key:
        found = await get_user(cast(Any, {"session": _session(watcher.session_key)}))
        return found if isinstance(found, User) else None
    if time.monotonic() - watcher.admitted_at > LONGEST_TOKEN_STREAM:
        return None
    return await database_sync_to_async(User.objects.filter(pk=watcher.user.pk).first)()


def _session(key: str) -> SessionBase:
    """Read from its store when it is used, not before."""
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store(key)
