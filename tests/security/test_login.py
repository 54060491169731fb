"""Logging in: who guesses is locked out for a while, nobody else is, and no answer tells who has an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from config.locks import MOST_FOR_A_NAME
from tests.conftest import _user

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def anna() -> User:
    return _user("anna")


def log_in(name: str = "anna", password: str = "wrong", address: str = HERE, path: str = LOGIN) -> Any:
    return Client(REMOTE_ADDR=address).post(path, {"username": name, "password": password})


def guess(times: int, **named: Any) -> list[int]:
    return [log_in(**named).status_code for _ in range(times)]


def later(**time: int) -> None:
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(**time))


def test_the_fifth_wrong_password_locks_the_name_from_there(anna: User) -> None:
    assert guess(MOST_FOR_A_NAME) == [200, 200, 200, 200, 429]
    assert log_in(password="anna").status_code == 429


def test_a_locked_reader_is_told_how_long(anna: User) -> None:
    guess(MOST_FOR_A_NAME)
    later(minutes=5)
    answer = log_in(password="anna")
    assert 590 <= int(answer["Retry-After"]) <= 600
    assert "Wait 10 minutes, then try again." in answer.content.decode()


def test_nobody_is_locked_out_by_a_stranger_elsewhere(anna: User) -> None:
    guess(MOST_FOR_A_NAME)
    assert log_in(password="anna", address=ELSEWHERE).status_code == 302


def test_another_name_from_there_is_not_locked(anna: User) -> None:
    guess(MOST_FOR_A_NAME, name="bert")
    assert log_in(password="anna").status_code == 302


def test_the_lock_ends_by_itself(anna: User) -> None:
    guess(MOST_FOR_A_NAME)
    later(minutes=16)
    assert log_in(password="anna").status_code == 302


def test_knocking_while_locked_does_not_make_it_longer(anna: User) -> None:
    guess(MOST_FOR_A_NAME)
    later(minutes=14)
    guess(3)
    later(minutes=2)
    assert log_in(password="anna").status_code == 302


def test_who_logs_in_is_forgiven(anna: User) -> None:
    guess(MOST_FOR_A_NAME - 1)
    log_in(password="anna")
    assert guess(MOST_FOR_A_NAME)[:-1] == [200] * (MOST_FOR_A_NAME - 1)


def test_many_names_lock_the_address_and_an_own_account_does_not_open_it(anna: User, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 10
    for number in range(9):
        log_in(name=f"name-{number}")
    assert log_in(password="anna").status_code == 302
    assert log_in(name="name-9").status_code == 429
    assert log_in(password="anna").status_code == 429


def test_a_forged_address_opens_nothing(anna: User) -> None:
    guess(MOST_FOR_A_NAME)
    client = Client(REMOTE_ADDR=HERE, headers={"X-Forwarded-For": ELSEWHERE})
    assert client.post(LOGIN, {"username": "anna", "password": "anna"}).status_code == 429


def test_the_admin_has_the_same_lock() -> None:
    User.objects.create_superuser("admin", password="admin")
    assert guess(MOST_FOR_A_NAME, name="admin", path="/admin/login/")[-1] == 429
    assert log_in(name="admin", password="admin", path="/admin/login/").status_code == 429


def test_nothing_tells_whether_there_is_such_an_account(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """One password is hashed for each: that is what takes the time."""
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda *given: (hashed.append(given[1]), encode(*given))[1]
    )
    User.objects.filter(pk=User.objects.create_user("gone", password="gone").pk).update(is_active=False)
    hashed.clear()
    pages = [log_in(name=name).content.decode().replace(name, "NAME") for name in ("anna", "nobody", "gone")]
    assert len({page[page.index("<main") : page.index("csrfmiddlewaretoken")] for page in pages}) == 1
    assert hashed == ["wrong"] * 3


def test_no_password_and_no_success_is_kept(anna: User) -> None:
    guess(2, password="my-secret-guess")
    log_in(name="bert", password="another-secret")
    log_in(password="anna", address=ELSEWHERE)
    kept = str(list(AccessAttempt.objects.values()))
    assert "secret" not in kept
    assert "csrfmiddlewaretoken=*" in kept or "csrfmiddlewaretoken" not in kept
    assert not AccessLog.objects.exists()


def test_old_attempts_are_forgotten_with_the_next(anna: User) -> None:
    guess(1, name="bert")
    later(minutes=16)
    log_in(password="anna")
    assert not AccessAttempt.objects.exists()


def test_a_login_gets_a_new_session_and_a_new_token(anna: User) -> None:
    client = Client()
    client.get(LOGIN)
    session = client.session
    session["before"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key
    before = client.cookies["csrftoken"].value
    client.post(LOGIN, {"username": "anna", "password": "anna"})
    assert client.cookies["sessionid"].value != session.session_key
    assert client.cookies["csrftoken"].value != before


def test_only_a_form_logs_out(anna: User) -> None:
    client = Client()
    client.force_login(anna)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("path", [LOGIN, "/language/", "/accounts/logout/"])
@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "///evil"],
)
def test_no_form_leads_to_another_site(anna: User, path: str, elsewhere: str) -> None:
    sent = {"username": "anna", "password": "anna", "language": "de", "next": elsewhere}
    answer = Client().post(path, sent)
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert "javascript" not in answer["Location"]
