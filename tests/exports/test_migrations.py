"""Migrations that compute: what was stored before counts as if it were stored today."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from exports import tokens
from exports.models import ApiToken, KeyScope
from tests.calling import call


def before(name: str) -> Any:
    """The models of then, on tables of then."""
    return MigrationExecutor(connection).migrate([("exports", name)]).apps


def migrate_all() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_keys_of_before_they_had_names_go_on_as_they_were(alice: User) -> None:
    old = before("0004_presets_preferences_letters").get_model("exports", "ApiToken")
    for text in ("one", "two"):
        old.objects.create(user_id=alice.pk, digest=tokens.digest(text))
    migrate_all()

    found = ApiToken.objects.all()
    assert {key.name for key in found} == {f"Key {key.pk}" for key in found}
    assert {(key.scope, key.expires_at, key.revoked_at) for key in found} == {(KeyScope.EXPORT, None, None)}
    assert call(None, "PATCH", "/api/preferences", {}, Authorization="Bearer two").status_code == 200
