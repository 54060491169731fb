from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime

from exports import lifecycle, tokens
from exports.exceptions import TokenInvalid
from exports.models import ApiToken, ExportJob
from projects.models import Membership
from tests.calling import call, job_url, key_of
from tests.fetching import fetch

pytestmark = pytest.mark.django_db(transaction=True)
JOB = uuid.uuid4()


def link(user: User, job: ExportJob) -> str:
    return str(call(user, "POST", job_url(job, "download-token")).json()["url"])


def test_a_token_names_its_user_for_its_job(alice: User) -> None:
    assert tokens.download_user(tokens.for_download(alice, JOB).text, JOB) == alice


def test_a_token_is_not_for_another_job(alice: User) -> None:
    token = tokens.for_download(alice, JOB)
    with pytest.raises(TokenInvalid):
        tokens.download_user(token.text, uuid.uuid4())


def test_a_token_is_not_for_another_purpose(alice: User) -> None:
    with pytest.raises(TokenInvalid):
        tokens.download_user(tokens.for_stream(alice).text, JOB)
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(tokens.for_download(alice, JOB).text)


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "\x00", "ä" * 1000])
def test_nonsense_is_no_token(transactional_db: None, text: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens.download_user(text, JOB)


def test_a_changed_token_is_none(alice: User) -> None:
    text = tokens.for_stream(alice).text
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(text[:-1] + ("a" if text[-1] != "a" else "b"))


def test_a_token_ends_after_its_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.for_stream(alice)
    monkeypatch.setattr(tokens, "LIFETIME", timedelta(0))
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(token.text)


def test_a_token_of_a_blocked_user_ends(alice: User) -> None:
    token = tokens.for_stream(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(token.text)


def test_a_token_ends_with_the_password(alice: User) -> None:
    token = tokens.for_stream(alice)
    alice.set_password("another")
    alice.save(update_fields=["password"])
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(token.text)


@pytest.mark.parametrize("end", [{"revoked_at": Now()}, {"expires_at": Now()}], ids=["revoked", "expired"])
def test_a_token_ends_with_the_key_that_it_was_made_with(alice: User, end: dict[str, Any]) -> None:
    key_of(alice)
    key = ApiToken.objects.get()
    download, stream = tokens.for_download(alice, JOB, key.pk).text, tokens.for_stream(alice, key.pk).text
    assert (tokens.download_user(download, JOB), tokens.stream_holder(stream).key_id) == (alice, key.pk)
    ApiToken.objects.update(**end)
    with pytest.raises(TokenInvalid):
        tokens.download_user(download, JOB)
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(stream)


def test_tokens_of_a_key_are_bound_to_it_and_those_of_a_session_are_not(completed: ExportJob) -> None:
    user, bearer = completed.user, {"Authorization": f"Bearer {key_of(completed.user)}"}
    by_key = call(None, "POST", job_url(completed, "download-token"), **bearer).json()["url"]
    stream = call(None, "POST", "/api/ws-token", **bearer).json()["token"]
    by_session = link(user, completed)
    ApiToken.objects.all().revoke()
    assert [fetch(None, url)[0].status_code for url in (by_key, by_session)] == [404, 200]
    with pytest.raises(TokenInvalid):
        tokens.stream_holder(stream)


def test_a_token_of_before_an_upgrade_is_still_good(alice: User) -> None:
    old = [alice.pk, str(JOB), alice.get_session_auth_hash()]
    text = signing.dumps(old, salt="exports.download")
    assert tokens.download_user(text, JOB) == alice


def test_a_link_downloads_without_a_session(alice: User, completed: ExportJob) -> None:
    response, body = fetch(None, link(alice, completed))
    assert (response.status_code, len(body)) == (200, completed.file_size)
    assert completed.transitions.get(reason="downloaded").actor == f"user:{alice.pk}"


def test_a_link_is_valid_for_ten_minutes(alice: User, completed: ExportJob) -> None:
    before = tokens.timezone.now()
    answer = call(alice, "POST", job_url(completed, "download-token")).json()
    expires_at = parse_datetime(answer["expiresAt"])
    assert expires_at is not None
    assert timedelta(minutes=10) <= expires_at - before < timedelta(minutes=11)
    assert answer["url"] == f"{job_url(completed, 'download')}?token={answer['token']}"


def test_a_link_of_a_cancelled_export_gives_no_byte(alice: User, completed: ExportJob) -> None:
    url = link(alice, completed)
    lifecycle.cancel(completed.pk, lifecycle.actor(alice))
    response, _ = fetch(None, url)
    assert (response.status_code, response.json()["code"]) == (410, "export_cancelled")


def test_a_link_ends_with_the_access(alice: User, bob: User, completed: ExportJob) -> None:
    ExportJob.objects.filter(pk=completed.pk).update(user=bob, version=99)
    url = link(bob, completed)
    Membership.objects.filter(user=bob).delete()
    assert fetch(None, url)[0].status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", "%00"])
def test_a_wrong_link_is_refused_even_with_a_session(alice: User, completed: ExportJob, token: str) -> None:
    response, _ = fetch(alice, f"{job_url(completed, 'download')}?token={token}")
    assert (response.status_code, response.json()["code"]) == (404, "token_invalid")


def test_a_link_opens_nothing_but_the_download(alice: User, completed: ExportJob) -> None:
    token = link(alice, completed).partition("?")[2]
    assert call(None, "GET", f"{job_url(completed, 'status')}?{token}").status_code == 401


def test_a_stream_token_is_given_out(alice: User) -> None:
    answer = call(alice, "POST", "/api/ws-token").json()
    assert tokens.stream_holder(answer["token"]) == tokens.Holder(alice, None)
    assert answer["url"] == f"/ws/exports/?token={answer['token']}"


def test_the_command_names_an_unknown_user(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("create_api_token", "nobody")
