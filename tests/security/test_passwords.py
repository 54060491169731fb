"""Changing a password, and getting a new one by e-mail."""

from __future__ import annotations

import re
from concurrent.futures import Future
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from config import accounts, mailing

pytestmark = pytest.mark.django_db
ASK, CHANGE = "/accounts/password_reset/", "/accounts/password_change/"
NEW = "correct horse battery"


class Here:
    """Sends before it returns."""

    def submit(self, work: Any, *given: Any) -> Future[None]:
        work(*given)
        return Future()


@pytest.fixture(autouse=True)
def _offered(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SITE_URL = "https://hub.example.org"
    monkeypatch.setattr(accounts, "_postmen", Here())
    monkeypatch.setattr(accounts.connections, "close_all", lambda: None)
    accounts._asked.storage.reset()


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", "anna@example.org", "anna")


@pytest.fixture
def anna_here(anna: User) -> Client:
    client = Client()
    client.force_login(anna)
    return client


def ask(address: str = "anna@example.org", **named: Any) -> Any:
    return Client().post(ASK, {"email": address}, **named)


def link_of(letter: mail.EmailMessage) -> str:
    found = re.search(r"https://hub\.example\.org(/accounts/reset/\S+)", letter.body)
    assert found
    return found[1]


def change(client: Client, password: str) -> Any:
    sent = {"old_password": "anna", "new_password1": password, "new_password2": password}
    return client.post(CHANGE, sent)


def test_a_new_password_ends_all_other_sessions(anna: User, anna_here: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(anna)
    assert change(anna_here, NEW)["Location"] == "/accounts/password_change/done/"
    assert elsewhere.get("/").status_code == 302
    assert anna_here.get("/").status_code == 200


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "anna@example.org"])
def test_a_weak_password_is_refused(anna_here: Client, password: str) -> None:
    answer = change(anna_here, password)
    assert answer.status_code == 200
    assert 'class="field-error"' in answer.content.decode()


@pytest.mark.parametrize("path", [CHANGE, f"{CHANGE}done/", ASK, f"{ASK}done/", "/accounts/reset/done/"])
def test_each_page_has_the_look_of_the_site(anna_here: Client, path: str) -> None:
    page = anna_here.get(path).content.decode()
    assert 'class="site-header"' in page
    assert page.count("<h1>") == 1


def test_the_letter_leads_to_a_new_password(anna: User) -> None:
    assert ask()["Location"] == "/accounts/password_reset/done/"
    client = Client()
    form = client.get(link_of(mail.outbox[0]), follow=True)
    sent = {"new_password1": NEW, "new_password2": NEW}
    assert client.post(form.wsgi_request.path, sent)["Location"] == "/accounts/reset/done/"
    anna.refresh_from_db()
    assert anna.check_password(NEW)
    assert "no longer good" in Client().get(link_of(mail.outbox[0]), follow=True).content.decode()


def test_the_link_never_follows_the_host_of_a_request(anna: User) -> None:
    ask(headers={"Host": "evil.example"})
    assert "evil" not in mail.outbox[0].body + str(mail.outbox[0].subject)
    assert link_of(mail.outbox[0])


def test_the_answer_does_not_tell_whether_there_is_an_account(anna: User) -> None:
    known, unknown = ask(), ask("nobody@example.org")
    assert len(mail.outbox) == 1
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_nothing_is_looked_up_before_the_answer(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(
        accounts, "_postmen", type("Later", (), {"submit": lambda _, *work: begun.append(work)})()
    )
    assert ask().status_code == 302
    assert (len(begun), mail.outbox) == (1, [])


def test_a_mailbox_gets_three_letters_an_hour_and_no_more(anna: User) -> None:
    answers = [ask("Anna@example.org") for _ in range(5)]
    assert [each.status_code for each in answers] == [302] * 5
    assert len(mail.outbox) == 3


def test_an_address_may_ask_only_so_often() -> None:
    answers = [ask(f"{number}@example.org") for number in range(21)]
    assert [each.status_code for each in answers] == [302] * 20 + [429]
    assert answers[-1]["Retry-After"] == "3600"


def test_a_new_password_by_letter_opens_the_lock(anna: User) -> None:
    for _ in range(5):
        Client().post("/accounts/login/", {"username": "anna", "password": "wrong"})
    ask()
    client = Client()
    form = client.get(link_of(mail.outbox[0]), follow=True)
    client.post(form.wsgi_request.path, {"new_password1": NEW, "new_password2": NEW})
    assert not AccessAttempt.objects.exists()
    assert client.post("/accounts/login/", {"username": "anna", "password": NEW}).status_code == 302


def test_without_e_mail_nothing_is_offered(settings: Any) -> None:
    settings.EMAIL_BACKEND = mailing.NOWHERE
    assert "password_reset" not in Client().get("/accounts/login/").content.decode()
    assert Client().get(ASK).status_code == 404
    assert ask().status_code == 404
