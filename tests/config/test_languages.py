"""The language of the pages: the browser's, until somebody chooses another one."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from exports.models import Preferences

LOGIN = "/accounts/login/"


@pytest.mark.parametrize(
    ("accepted", "found"), [("de-AT,de;q=0.9", "de"), ("zh-CN", "zh-hans"), ("fi", "en"), ("", "en")]
)
def test_a_page_comes_in_the_browsers_language(db: None, accepted: str, found: str) -> None:
    page = Client().get(LOGIN, headers={"accept-language": accepted})
    assert f'<html lang="{found}">' in page.text
    assert "Accept-Language" in page["Vary"]


def test_a_chosen_language_stays(db: None) -> None:
    client = Client()
    answer = client.post("/language/", {"language": "cs", "next": LOGIN})
    assert answer["Location"] == LOGIN
    assert '<html lang="cs">' in client.get(LOGIN, headers={"accept-language": "de"}).text


def test_each_language_is_named_as_its_speakers_name_it(db: None) -> None:
    page = Client().get(LOGIN, headers={"accept-language": "de"}).text
    names = re.findall(r'<button class="language"[^>]*>([^<]+)<', page)
    assert names == ["English", "Čeština", "Deutsch", "Español", "Français", "中文"]


def test_a_choice_leads_to_no_other_site(db: None) -> None:
    answer = Client().post("/language/", {"language": "cs", "next": "https://example.org/"})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_the_scripts_get_the_words_of_each_language(language: str) -> None:
    client = Client()
    answer = client.get(f"/language/{language}.js")
    assert (answer.status_code, answer["Content-Language"]) == (200, language)
    assert (
        client.get(f"/language/{language}.js", headers={"if-none-match": answer["ETag"]}).status_code == 304
    )


def test_words_of_a_language_that_is_not_offered_are_not_found() -> None:
    assert Client().get("/language/tlh.js").status_code == 404


def test_a_refusal_of_the_api_speaks_the_callers_language(alice: User) -> None:
    answer = Client().get("/api/projects", headers={"accept-language": "de"})
    assert (answer.status_code, answer["Content-Language"]) == (401, "de")


def test_a_language_chosen_in_the_footer_is_that_of_the_e_mails_too(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    client.post("/language/", {"language": "fr", "next": "/"})
    assert Preferences.of(alice).language == "fr"


def test_a_language_that_is_not_offered_is_not_kept(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    client.post("/language/", {"language": "tlh", "next": "/"})
    assert Preferences.of(alice).language == ""
