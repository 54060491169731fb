"""The audit of packages tells a clean list from one that could not be reached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.audit import verdict

CLEAN: dict[str, Any] = {"name": "one", "version": "1", "vulns": []}
HOLED: dict[str, Any] = {"name": "two", "version": "1", "vulns": [{"id": "CVE-2026-1"}]}
SKIPPED: dict[str, Any] = {"name": "three", "skip_reason": "Dependency not found on PyPI"}
UNREACHED = "Not audited: the list of known holes cannot be reached from here."


@pytest.mark.parametrize(
    ("packages", "sentence", "is_bad"),
    [
        ([CLEAN, CLEAN], "No known holes in 2 packages.", False),
        ([CLEAN, SKIPPED], "No known holes in 1 packages. Not in the list: three.", False),
        ([CLEAN, HOLED, SKIPPED], "Known holes: two CVE-2026-1.", True),
        ([SKIPPED, SKIPPED], UNREACHED, False),
    ],
    ids=["clean", "one is unknown", "a hole", "nothing was found"],
)
def test_the_audit_says_what_it_found(packages: list[Any], sentence: str, is_bad: bool) -> None:
    assert verdict(json.dumps({"dependencies": packages}), "") == (sentence, is_bad)


@pytest.mark.parametrize(
    ("complaint", "is_bad"),
    [
        ("ERROR: Could not connect to PyPI's vulnerability feed", False),
        ("pip-audit: no such option", True),
        ("", True),
    ],
)
def test_an_audit_that_did_not_happen_fails_unless_the_network_is_why(complaint: str, is_bad: bool) -> None:
    assert verdict("", complaint).is_bad is is_bad
