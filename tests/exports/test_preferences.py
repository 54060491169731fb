"""How somebody wants to be told: over the API, and on a page that needs no scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.mailing import NOWHERE
from exports import preferences
from exports.models import Preferences
from tests.calling import call

ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.django_db(transaction=True)

DEFAULTS = {"downloadWhenReady": True, "mailWhenEnded": False, "mailAddress": None, "language": ""}


@pytest.fixture
def addressed(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    alice.refresh_from_db()
    return alice


def test_without_a_choice_there_are_defaults_and_no_row(alice: User) -> None:
    assert call(alice, "GET", "/api/preferences").json() == DEFAULTS
    assert call(alice, "PATCH", "/api/preferences", {}).json() == DEFAULTS
    assert not Preferences.objects.exists()


def test_what_is_left_out_stays(addressed: User) -> None:
    call(addressed, "PATCH", "/api/preferences", {"downloadWhenReady": False, "language": "cs"})
    answer = call(addressed, "PATCH", "/api/preferences", {"mailWhenEnded": True})
    assert answer.json() == {
        "downloadWhenReady": False,
        "mailWhenEnded": True,
        "mailAddress": "alice@example.org",
        "language": "cs",
    }
    assert call(addressed, "GET", "/api/preferences").json() == answer.json()


def test_preferences_are_ones_own(alice: User, bob: User) -> None:
    call(alice, "PATCH", "/api/preferences", {"downloadWhenReady": False})
    assert call(bob, "GET", "/api/preferences").json() == DEFAULTS


def test_e_mail_needs_an_address(alice: User) -> None:
    refused = call(alice, "PATCH", "/api/preferences", {"mailWhenEnded": True})
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["mailWhenEnded"])
    assert "no e-mail address" in refused.json()["detail"]
    assert call(alice, "PATCH", "/api/preferences", {"mailWhenEnded": False}).status_code == 200


def test_e_mail_needs_a_hub_that_sends_any(addressed: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = NOWHERE
    refused = call(addressed, "PATCH", "/api/preferences", {"mailWhenEnded": True})
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["mailWhenEnded"])
    assert "sends no e-mails" in refused.json()["detail"]


def test_e_mail_counts_from_when_it_was_first_wanted(addressed: User) -> None:
    first = preferences.change(addressed, mail_when_ended=True).mail_since
    assert first is not None
    assert preferences.change(addressed, mail_when_ended=True).mail_since == first
    assert preferences.change(addressed, mail_when_ended=False).mail_since is None
    again = preferences.change(addressed, mail_when_ended=True).mail_since
    assert again is not None
    assert again > first


@pytest.mark.parametrize("wrong", [{"language": "tlh"}, {"downloadWhenReady": "perhaps"}, {"sound": True}])
def test_what_makes_no_sense_is_refused(alice: User, wrong: dict[str, Any]) -> None:
    assert call(alice, "PATCH", "/api/preferences", wrong).status_code == 422
    assert not Preferences.objects.exists()


def test_the_page_says_what_is_chosen_and_where_mail_goes(addressed: User, client_of: ClientOf) -> None:
    preferences.change(addressed, mail_when_ended=True, download_when_ready=False)
    page = client_of(addressed).get("/exports/settings/").content.decode()
    assert "To alice@example.org." in page
    assert page.count(" checked") == 1


def test_the_page_saves_without_scripts_and_says_so(addressed: User, client_of: ClientOf) -> None:
    answer = client_of(addressed).post(
        "/exports/settings/", {"mail_when_ended": "on", "language": "de"}, follow=True
    )
    assert answer.redirect_chain == [("/exports/settings/", 302)]
    kept = Preferences.of(addressed)
    assert (kept.download_when_ready, kept.mail_since is not None, kept.language) == (False, True, "de")
    assert '<html lang="de">' in answer.content.decode()
    assert 'class="message success"' in answer.content.decode()


def test_the_browsers_language_comes_back(alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    client.post("/exports/settings/", {"language": "de"})
    page = client.post("/exports/settings/", {"language": ""}, follow=True, headers={"accept-language": "fr"})
    assert '<html lang="fr">' in page.content.decode()


def test_the_page_refuses_e_mail_without_an_address(alice: User, client_of: ClientOf) -> None:
    answer = client_of(alice).post("/exports/settings/", {"mail_when_ended": "on"})
    assert answer.status_code == 422
    assert "no e-mail address." in answer.content.decode()
    assert not Preferences.objects.exists()


def test_the_page_asks_for_a_login(client: Client) -> None:
    assert client.get("/exports/settings/").headers["Location"].startswith("/accounts/login/")
