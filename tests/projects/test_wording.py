from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils.translation import override

from projects.templatetags import wording

AT = datetime(2026, 11, 22, 14, 45, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "number"), [("en", "1,234,567"), ("de", "1.234.567"), ("cs", "1\xa0234\xa0567")]
)
def test_numbers_are_grouped_as_the_language_does(language: str, number: str) -> None:
    with override(language):
        assert wording.grouped(1_234_567) == number


def test_nothing_is_none() -> None:
    assert (wording.grouped(None), wording.in_file_size(None), wording.in_time(None)) == ("0", "0 bytes", "")


@pytest.mark.parametrize(
    ("count", "words"), [(999, "999 bytes"), (1500, "1.5 kB"), (123_456_789, "123 MB"), (4.2e12, "4.2 TB")]
)
def test_a_size_keeps_a_whole_number_before_the_point(count: int, words: str) -> None:
    assert wording.in_file_size(count) == words


def test_a_size_has_the_languages_point() -> None:
    with override("de"):
        assert wording.in_file_size(1500).startswith("1,5")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (7200, "2 h")]
)
def test_a_length_of_time_is_said_in_one_unit(seconds: float, words: str) -> None:
    assert wording.in_time(seconds) == words


@pytest.mark.parametrize(
    ("language", "moment"),
    [
        ("en", "22 Nov 2026, 14:45 UTC"),
        ("de", "22. November 2026 14:45 UTC"),
        ("zh-hans", "2026年11月22日 14:45 UTC"),
    ],
)
def test_a_moment_is_written_as_the_language_does(language: str, moment: str) -> None:
    with override(language):
        assert wording.as_moment(AT) == moment


def test_moments_are_of_utc_wherever_they_come_from() -> None:
    east = AT.astimezone(timezone(timedelta(hours=11)))
    assert wording.as_date(east) == "22 Nov 2026"
    assert wording.as_clock(east) == "14:45:07"
