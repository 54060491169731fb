"""Keys for programs: made, recognised, used, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError
from django.db.models.functions import Now

from exports import keys, tokens
from exports.exceptions import InvalidOptions
from exports.models import ApiToken, KeyState
from tests.calling import call, key_of

pytestmark = pytest.mark.django_db(transaction=True)


def wanted(name: str | None = "Backup", scope: str = "read", days: int | None = 90) -> keys.Wanted:
    return keys.Wanted(name, scope, days)


def status(text: str) -> int:
    return int(call(None, "GET", "/api/projects", Authorization=f"Bearer {text}").status_code)


def refused(user: User, asked: keys.Wanted) -> str:
    with pytest.raises(InvalidOptions) as refusal:
        keys.create(user, asked)
    return next(iter(refusal.value.details["fields"]))  # type: ignore[call-overload]


def test_only_the_digest_and_the_beginning_of_a_key_are_kept(alice: User) -> None:
    key, text = keys.create(alice, wanted())
    assert (text[:4], len(text) >= 4 + 43 + 4) == ("csh_", True)
    assert (key.digest, key.hint) == (tokens.digest(text), text[:8])
    assert text not in str(ApiToken.objects.values_list().get())


def test_a_key_lasts_as_long_as_was_asked_by_the_clock_of_the_database(alice: User) -> None:
    key, _ = keys.create(alice, wanted(days=30))
    assert key.expires_at is not None
    assert abs(key.expires_at - key.created_at - timedelta(days=30)) < timedelta(minutes=1)
    assert keys.create(alice, wanted("other", days=None))[0].expires_at is None


def test_a_key_needs_a_name_that_can_be_seen(alice: User) -> None:
    names = ("", "  ", "\u200b", "x" * 81)
    assert {refused(alice, wanted(name)) for name in names} == {"name"}


@pytest.mark.parametrize("again", ["Backup", " BACKUP ", "back\u200bup"])
def test_a_name_stands_for_one_key_until_that_is_revoked(alice: User, again: str) -> None:
    key, _ = keys.create(alice, wanted("Backup"))
    assert refused(alice, wanted(again)) == "name"
    keys.revoke(ApiToken.objects.filter(pk=key.pk), alice)
    assert keys.create(alice, wanted(again))


def test_an_expired_key_keeps_its_name(alice: User) -> None:
    key, _ = keys.create(alice, wanted())
    ApiToken.objects.filter(pk=key.pk).update(expires_at=Now())
    assert refused(alice, wanted()) == "name"


def test_others_may_use_the_same_name(alice: User, bob: User) -> None:
    assert keys.create(alice, wanted())
    assert keys.create(bob, wanted())


@pytest.mark.parametrize(
    ("field", "asked"),
    [("scope", wanted(scope="admin")), ("days", wanted(days=-1)), ("days", wanted(days=31))],
)
def test_scope_and_time_are_those_that_are_offered(alice: User, field: str, asked: keys.Wanted) -> None:
    assert refused(alice, asked) == field


def test_an_unnamed_key_takes_the_first_name_that_is_free(alice: User) -> None:
    names = [keys.create(alice, wanted(None))[0].name for _ in range(3)]
    assert names == ["Key 1", "Key 2", "Key 3"]


def test_a_user_has_no_more_than_so_many_keys_in_use(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MOST_LIVING", 2)
    for name in ("revoked", "expired", "first", "second"):
        key, _ = keys.create(alice, wanted(name))
        if name == "revoked":
            keys.revoke(ApiToken.objects.filter(pk=key.pk), alice)
        if name == "expired":
            ApiToken.objects.filter(pk=key.pk).update(expires_at=Now())
    assert refused(alice, wanted("third")) == "name"


def test_a_revoked_key_lets_nobody_in(alice: User) -> None:
    key, text = keys.create(alice, wanted())
    assert status(text) == 200
    assert keys.revoke(ApiToken.objects.filter(pk=key.pk), alice) == 1
    assert status(text) == 401


def test_an_expired_key_lets_nobody_in(alice: User) -> None:
    key, text = keys.create(alice, wanted())
    ApiToken.objects.filter(pk=key.pk).update(expires_at=Now())
    assert status(text) == 401


def test_what_was_revoked_stays_revoked_whoever_writes(alice: User) -> None:
    key, _ = keys.create(alice, wanted())
    chosen = ApiToken.objects.filter(pk=key.pk)
    assert [keys.revoke(chosen, alice), keys.revoke(chosen, alice)] == [1, 0]
    with pytest.raises(DatabaseError, match="stays revoked"):
        chosen.update(revoked_at=None)


@pytest.mark.parametrize("column", [{"name": ""}, {"scope": "admin"}])
def test_the_database_refuses_what_makes_no_sense(alice: User, column: dict[str, str]) -> None:
    key, _ = keys.create(alice, wanted())
    with pytest.raises(IntegrityError):
        ApiToken.objects.filter(pk=key.pk).update(**column)


def test_the_state_of_a_key_is_told(alice: User) -> None:
    for name in KeyState.values:
        keys.create(alice, wanted(name))
    ApiToken.objects.filter(name="expired").update(expires_at=Now())
    ApiToken.objects.filter(name="revoked").update(revoked_at=Now(), expires_at=Now())
    assert all(key.name == key.state for key in ApiToken.objects.with_state())  # type: ignore[attr-defined]


def test_the_use_of_a_key_is_written_down_once_a_minute(alice: User) -> None:
    text = key_of(alice)
    status(text)
    first = ApiToken.objects.get().last_used_at
    status(text)
    assert ApiToken.objects.get().last_used_at == first
    assert first is not None
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    status(text)
    assert ApiToken.objects.get().last_used_at > first  # type: ignore[operator]


def test_the_command_makes_an_unlimited_key_unless_told_otherwise(
    alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_api_token", "alice")
    assert status(capsys.readouterr().out.strip()) == 200
    key = ApiToken.objects.get()
    assert (key.name, key.scope, key.expires_at) == ("Key 1", "export", None)


def test_the_command_makes_the_key_that_is_asked_for(alice: User) -> None:
    call_command("create_api_token", "alice", "--name", "CI", "--scope", "read", "--expires-in", "30")
    key = ApiToken.objects.get()
    assert (key.name, key.scope, key.expires_at is None) == ("CI", "read", False)
    with pytest.raises(CommandError, match="of this name"):
        call_command("create_api_token", "alice", "--name", "ci")
