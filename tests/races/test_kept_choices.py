"""Presets and preferences that are changed at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404

from exports import preferences, presets
from exports.exceptions import PresetNameTaken
from exports.models import Preset
from projects.models import Project
from tests.races.conftest import Race, outcome_of, until_waiting

pytestmark = pytest.mark.django_db(transaction=True)


def wanted(name: str, *, is_shared: bool = False) -> presets.Wanted:
    return presets.Wanted(name=name, is_shared=is_shared, options={})


@pytest.mark.parametrize("is_shared", [True, False])
def test_of_two_that_save_the_same_name_at_once_one_is_refused(
    alice: User, project: Project, is_shared: bool
) -> None:
    save = partial(presets.create, alice, project, wanted("X", is_shared=is_shared))
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            held: Any = project if is_shared else None
            Preset.objects.create(user=alice, project=held, name="x", options={})
            late = [pool.submit(outcome_of, save) for _ in range(2)]
            until_waiting(2)
            transaction.set_rollback(True)
        kinds = {type(future.result()) for future in late}
    assert kinds == {Preset, PresetNameTaken}


def test_a_preset_that_was_deleted_meanwhile_is_not_found(alice: User, project: Project, race: Race) -> None:
    preset = presets.create(alice, project, wanted("x"))
    remove = partial(presets.remove, alice, project, preset.pk)
    outcomes = race(preset, remove, remove)
    assert sorted(map(repr, outcomes)) == ["Http404()", "None"]
    with pytest.raises(Http404):
        presets.replace(alice, project, preset.pk, wanted("y"))


def test_a_change_waits_for_a_deletion_that_is_under_way(alice: User, project: Project) -> None:
    preset = presets.create(alice, project, wanted("x"))
    change = partial(presets.replace, alice, project, preset.pk, wanted("y"))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            presets.remove(alice, project, preset.pk)
            late = pool.submit(outcome_of, change)
            until_waiting(1)
        assert isinstance(late.result(), Http404)


def test_two_changes_of_preferences_at_once_lose_nothing(alice: User, race: Race) -> None:
    alice.email = "alice@example.org"
    kept = preferences.change(alice, language="de")
    changes = ({"download_when_ready": False}, {"mail_when_ended": True})
    race(kept, *(partial(preferences.change, alice, **each) for each in changes))
    kept.refresh_from_db()
    assert (kept.download_when_ready, kept.mail_since is not None, kept.language) == (False, True, "de")
