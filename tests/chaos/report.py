"""What a person reads at the end of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.chaos.checks.evidence import Violation
from tests.chaos.history import Record

SHOWN_VIOLATIONS = 6
SHOWN_CHARACTERS = 400
"""Of each record that shows a violation."""


def table(title: dict[str, Any], counted: dict[str, Any]) -> str:
    rows = {**title, **counted}
    return "\n".join(f"{name:>24}  {_shown(value)}" for name, value in rows.items())


def violations(found: Sequence[Violation]) -> str:
    if not found:
        return "No guarantee was violated."
    counted = Counter(each.guarantee for each in found)
    head = ", ".join(f"{name} {number} times" for name, number in counted.items())
    return "\n".join([f"VIOLATIONS: {head}", *map(_violation, found[:SHOWN_VIOLATIONS])])


def unexpected(records: Sequence[Record]) -> str:
    """Lines of the web server's log that should not be there."""
    lines = [record["line"] for record in records if record["op"] == "log"]
    return "\n".join([f"The web server noted {len(lines)} unexpected errors:", *lines[:3]]) if lines else ""


def _violation(violation: Violation) -> str:
    shown = [json.dumps(_filled(record), default=str)[:SHOWN_CHARACTERS] for record in violation.records]
    return "\n      ".join([f"  {violation.guarantee}: {violation.sentence}", *shown])


def _filled(record: Record) -> Record:
    return {name: value for name, value in record.items() if value not in (None, False)}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:,}" for name, number in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)
