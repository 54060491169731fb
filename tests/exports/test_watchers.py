from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models.functions import Now

from exports import tokens, watchers
from exports.models import ApiToken, ExportJob
from projects.models import Membership, Project
from tests.calling import key_of
from tests.streams import (
    Opener,
    cancel,
    close_code,
    hear,
    pong,
    request,
)


async def test_without_login_it_is_accepted_and_closed_with_4401(open_stream: Opener) -> None:
    assert await close_code(await open_stream(None)) == 4401


async def test_a_token_logs_in(open_stream: Opener, job: ExportJob, alice: User) -> None:
    token = tokens.for_stream(alice).text
    snapshot = await hear(await open_stream(None, f"?token={token}"))
    assert snapshot["jobs"][0]["jobId"] == str(job.pk)


async def test_a_wrong_token_is_refused_even_with_a_session(open_stream: Opener, alice: User) -> None:
    assert await close_code(await open_stream(alice, "?token=wrong")) == 4401


async def _log_out(user: User) -> None:
    await Session.objects.all().adelete()


async def _change_password(user: User) -> None:
    user.set_password("another")
    await user.asave(update_fields=["password"])


async def _deactivate(user: User) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


@pytest.mark.parametrize("end", [_log_out, _change_password, _deactivate])
async def test_the_end_of_a_session_closes_the_socket(
    open_stream: Opener, alice: User, fast_ticks: None, end: Callable[[User], Any]
) -> None:
    stream = await open_stream(alice)
    await hear(stream)
    await end(alice)
    assert await close_code(stream) == 4401


@pytest.mark.parametrize("end", [_change_password, _deactivate])
async def test_the_end_of_the_account_closes_a_socket_opened_by_token(
    open_stream: Opener, alice: User, fast_ticks: None, end: Callable[[User], Any]
) -> None:
    stream = await open_stream(None, f"?token={tokens.for_stream(alice).text}")
    await hear(stream)
    await end(alice)
    assert await close_code(stream) == 4401


@pytest.mark.parametrize("end", [{"revoked_at": Now()}, {"expires_at": Now()}], ids=["revoked", "expired"])
async def test_the_end_of_a_key_closes_the_sockets_that_it_opened(
    open_stream: Opener, alice: User, fast_ticks: None, end: dict[str, Any]
) -> None:
    await sync_to_async(key_of)(alice)
    key = await ApiToken.objects.aget()
    by_key = await open_stream(None, f"?token={tokens.for_stream(alice, key.pk).text}")
    by_session = await open_stream(alice)
    await hear(by_key)
    await hear(by_session)
    await ApiToken.objects.aupdate(**end)
    assert await close_code(by_key) == 4401
    await pong(by_session)


async def test_a_stream_opened_by_token_ends_after_some_hours(
    open_stream: Opener, alice: User, fast_ticks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await open_stream(None, f"?token={tokens.for_stream(alice).text}")
    await hear(stream)
    monkeypatch.setattr(watchers, "LONGEST_TOKEN_STREAM", 0.0)
    assert await close_code(stream) == 4401


@pytest.mark.usefixtures("no_ticks")
async def test_nothing_is_told_of_a_project_that_the_user_has_left(
    open_stream: Opener, project: Project, bob: User, bell: list[Any]
) -> None:
    job = await request(project, bob)
    stream = await open_stream(bob)
    await hear(stream)
    await Membership.objects.filter(user=bob).adelete()
    await cancel(job.pk, "system")
    assert await stream.receive_nothing(timeout=0.3)
    await pong(stream)
