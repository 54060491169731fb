"""Every message is translated into every language, with its placeholders, and compiled."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.translations.catalogues import DOMAINS, LANGUAGES, compiled, path_of, read, untranslated, updated
from tests.translations.messages import template

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|%%")


@pytest.fixture(params=[(language, domain) for language in LANGUAGES for domain in DOMAINS], ids="-".join)
def catalogue_name(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


def test_every_message_of_the_sources_is_translated(catalogue_name: tuple[str, str]) -> None:
    language, domain = catalogue_name
    today = updated(language, domain, template(domain))
    assert untranslated(today) == [], "run `make translations` and fill in what is empty"
    assert {str(each.id) for each in read(language, domain)} == {str(each.id) for each in today}


def test_a_translation_has_the_placeholders_of_its_message(catalogue_name: tuple[str, str]) -> None:
    wrong = [each.id for each in read(*catalogue_name) if each.id and not _fits(each)]
    assert wrong == []


def test_no_translation_is_a_guess(catalogue_name: tuple[str, str]) -> None:
    assert [each.id for each in read(*catalogue_name) if each.id and each.fuzzy] == []


def test_what_runs_is_what_was_translated(catalogue_name: tuple[str, str]) -> None:
    kept = path_of(*catalogue_name).with_suffix(".mo").read_bytes()
    assert kept == compiled(read(*catalogue_name)), "run `make translations`"


def _fits(message: Any) -> bool:
    """A plural that means one thing may leave out the number."""
    wanted = _placeholders(message.id if isinstance(message.id, str) else message.id[1])
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    return _placeholders(strings[-1]) == wanted and all(_placeholders(each) <= wanted for each in strings)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))
