"""What a key opens: what its user may, as far as its scope goes, for as long as it lives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from exports import keys
from exports.models import ApiToken
from tests.security.rights import table
from tests.security.rights.asking import ask
from tests.security.rights.stage import Stage
from tests.security.rights.table import Line
from tests.security.test_rights import where

LINES = [line for line in table.lines(table.API) if line.expected["anonymous"] == "401"]
READING_THOUGH_POSTED = ("/api/ws-token", "/api/projects/{project}/export/estimate")


def key_of(stage: Stage, visitor: str, scope: str) -> str:
    return keys.create(stage.users[visitor], keys.Wanted(None, scope, None))[1]


def is_reading(line: Line) -> bool:
    return line.template in READING_THOUGH_POSTED or (
        line.method == "GET" and not line.template.endswith("/download")
    )


@pytest.mark.parametrize("visitor", ["exporter", "viewer"])
def test_a_key_that_may_export_opens_what_its_user_may(stage: Stage, visitor: str) -> None:
    key = key_of(stage, visitor, "export")
    answers = {where(line, visitor): ask(stage, visitor, *line[:2], key=key).said for line in LINES}
    assert answers == {where(line, visitor): line.expected[visitor] for line in LINES}


def test_a_key_that_may_read_opens_only_what_is_read(stage: Stage) -> None:
    key = key_of(stage, "exporter", "read")
    answers = {where(line, "key"): ask(stage, "exporter", *line[:2], key=key).said for line in LINES}
    expected = {
        where(line, "key"): line.expected["exporter"] if is_reading(line) else "403" for line in LINES
    }
    assert answers == expected


@pytest.mark.parametrize("ended", ["revoked", "expired", "inactive", "unknown"])
def test_a_key_that_has_ended_opens_nothing(stage: Stage, ended: str) -> None:
    key = key_of(stage, "inactive" if ended == "inactive" else "owner", "export")
    if ended == "revoked":
        ApiToken.objects.update(revoked_at=timezone.now())
    if ended == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    shown = key + "x" if ended == "unknown" else key
    opened = [where(line, ended) for line in LINES if ask(stage, "owner", *line[:2], key=shown).said != "401"]
    assert opened == []
