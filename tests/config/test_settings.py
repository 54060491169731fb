"""A value that makes no sense stops the start with one sentence that names the variable, and no secret."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

LEVELS = ("DEBUG", "INFO")
REDIS = ("redis", "unix")


@pytest.mark.parametrize(("value", "level"), [("debug", "DEBUG"), (" INFO ", "INFO"), ("", "INFO")])
def test_a_word_of_a_list_may_be_written_in_any_way(
    monkeypatch: pytest.MonkeyPatch, value: str, level: str
) -> None:
    monkeypatch.setenv("LOG_LEVEL", value)
    assert environment.choice("LOG_LEVEL", "INFO", LEVELS) == level


def test_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "chatty")
    with pytest.raises(ImproperlyConfigured, match=r"LOG_LEVEL must be one of DEBUG, INFO, not 'CHATTY'\."):
        environment.choice("LOG_LEVEL", "INFO", LEVELS)


@pytest.mark.parametrize(
    "value", ["nonsense", "http://user:swordfish@host", "redis", "//user:swordfish@host"]
)
def test_an_address_of_another_kind_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(ImproperlyConfigured) as refused:
        environment.address("REDIS_URL", "", REDIS, "redis://host")
    assert str(refused.value) == "REDIS_URL must be an address such as redis://host."


@pytest.mark.parametrize("value", ["redis://host:6379/0", "unix:///run/redis.sock?db=0"])
def test_an_address_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    assert environment.address("REDIS_URL", "", REDIS, "redis://host") == value
