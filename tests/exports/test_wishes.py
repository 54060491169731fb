from __future__ import annotations

import time

import pytest

from exports.wishes import Allowance, Refused, asked


@pytest.mark.parametrize("text", ['{"type": "ping"}', '{"id": 1, "type": "ping"}'])
def test_the_type_is_what_is_asked(text: str) -> None:
    assert asked(text) == "ping"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "binary_not_supported"), ("", "malformed"), ("{", "malformed"), ("[]", "malformed"),
        ("[" * 4000, "malformed"), ("1" * 4090, "malformed"), ('"ping"', "malformed"), ("null", "malformed"),
        ('{"type": "' + "x" * 5000 + '"}', "too_large"),
    ],
)  # fmt: skip
def test_what_is_no_small_object_is_refused(text: str | None, code: str) -> None:
    with pytest.raises(Refused, match=code):
        asked(text)


def test_an_allowance_is_spent_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    allowance = Allowance(most=2, per_second=1)
    assert [allowance.spend() for _ in range(3)] == [True, True, False]
    now += 5
    assert allowance.spend()
