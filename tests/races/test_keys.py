"""Keys that are made at once."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import User

from exports import keys
from exports.exceptions import InvalidOptions
from exports.models import ApiToken
from tests.races.conftest import Race

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_more_keys_are_made_at_once_than_one_may_have(
    alice: User, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_LIVING", 2)
    asked = (keys.Wanted(f"Program {number}", "read", 90) for number in range(4))
    outcomes = race(alice, *(partial(keys.create, alice, each) for each in asked))
    assert [type(each) for each in outcomes].count(InvalidOptions) == 2
    assert ApiToken.objects.count() == 2


def test_of_keys_of_the_same_name_made_at_once_one_is_made(alice: User, race: Race) -> None:
    make = partial(keys.create, alice, keys.Wanted("Backup", "read", 90))
    outcomes = race(alice, make, make)
    assert sorted(type(each).__name__ for each in outcomes) == ["InvalidOptions", "tuple"]


def test_unnamed_keys_made_at_once_all_find_a_name(alice: User, race: Race) -> None:
    make = partial(keys.create, alice, keys.Wanted(None, "export", None))
    race(alice, make, make, make)
    assert sorted(ApiToken.objects.values_list("name", flat=True)) == ["Key 1", "Key 2", "Key 3"]
