"""How often the API may be asked, by whom; and that Redis is no more than a help in it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from limits import parse
from structlog.testing import capture_logs

from config import counting, environment
from exports.models import ExportJob
from tests.calling import call, job_url, key_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/api/projects"
FEW = {"API_RATE_LIMIT": "3/hour", "API_WRITE_RATE_LIMIT": "1/hour", "API_ANONYMOUS_RATE_LIMIT": "2/hour"}
PATIENCE = counting.PATIENCE
STANDING = re.compile(r'"(?P<policy>\w+)";r=(?P<remaining>\d+);t=(?P<seconds>\d+)')


@pytest.fixture(autouse=True)
def few(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Low limits, and a Redis that may be slow: others use this machine too."""
    for name, rate in FEW.items():
        setattr(settings, name, parse(rate))
    monkeypatch.setattr(counting, "PATIENCE", 10.0)
    monkeypatch.setattr(counting, "SLOW", 10.0)
    counting.counter.cache_clear()
    yield
    counting.counter.cache_clear()


@pytest.fixture
def frozen(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that takes connections and says nothing."""
    monkeypatch.setattr(counting, "PATIENCE", PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.REDIS_URL = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        yield


def statuses(
    count: int, user: User | None, method: str = "GET", url: str = LIST, **headers: str
) -> list[int]:
    return [call(user, method, url, None, **headers).status_code for _ in range(count)]


def is_refused(response: Any) -> bool:
    return (response.status_code, response.json().get("code")) == (429, "too_many_requests")


def test_a_user_is_limited_by_session_and_keys_together(alice: User, bob: User) -> None:
    bearer = f"Bearer {key_of(alice)}"
    assert statuses(2, alice) + statuses(2, None, Authorization=bearer) == [200, 200, 200, 429]
    assert is_refused(call(alice, "GET", LIST))
    assert statuses(1, bob) == [200]


def test_changes_have_a_limit_of_their_own(alice: User) -> None:
    assert statuses(2, alice, "PATCH", "/api/preferences") == [200, 429]
    assert statuses(1, alice) == [200]


def test_a_refusal_says_when_to_come_again(alice: User) -> None:
    statuses(3, alice)
    response = call(alice, "GET", LIST)
    assert response["Content-Type"] == "application/problem+json"
    told = STANDING.fullmatch(response["RateLimit"])
    assert told is not None
    assert (told["policy"], told["remaining"], told["seconds"]) == ("requests", "0", response["Retry-After"])
    assert 0 < int(response["Retry-After"]) <= 3600


def test_each_answer_says_where_one_stands(alice: User) -> None:
    response = call(alice, "PATCH", "/api/preferences")
    assert response["RateLimit-Policy"] == '"requests";q=3;w=3600, "writes";q=1;w=3600'
    told = [(each["policy"], each["remaining"]) for each in STANDING.finditer(response["RateLimit"])]
    assert told == [("requests", "2"), ("writes", "0")]


def test_whatever_the_answer_it_says_where_one_stands(alice: User, settings: Any) -> None:
    settings.API_ANONYMOUS_RATE_LIMIT = parse("100/hour")
    for method, url, status in (
        ("GET", "/api/nothing", 404), ("PUT", LIST, 405), ("GET", f"{LIST}?limit=0", 422),
        ("GET", "/api/openapi.json", 200), ("GET", "/api/events.json", 200),
    ):  # fmt: skip
        response = call(alice, method, url)
        assert response.status_code == status, url
        assert STANDING.fullmatch(response["RateLimit"]), url


def test_who_is_told_that_nothing_has_changed_is_counted_too(alice: User) -> None:
    etag = call(alice, "GET", "/api/exports/current")["ETag"]
    response = call(alice, "GET", "/api/exports/current", If_None_Match=etag)
    assert (response.status_code, response["RateLimit"].split(";")[1]) == (304, "r=1")


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        *(
            (LIST, {}, 401),
            (LIST, {"Authorization": "Bearer wrong"}, 401),
            (LIST, {"Cookie": "sessionid=x"}, 401),
        ),
        *(("/api/nothing", {}, 404), ("/api/openapi.json", {}, 200), ("/api/events.json", {}, 200)),
    ],
)
def test_an_address_that_is_not_known_is_limited(
    alice: User, url: str, headers: dict[str, str], status: int
) -> None:
    assert statuses(3, None, url=url, **headers) == [status, status, 429]
    assert statuses(1, alice) == [200]


def test_wrong_links_count_as_unknown(completed: ExportJob) -> None:
    url = f"{job_url(completed, 'download')}?token=wrong"
    assert statuses(3, None, url=url) == [404, 404, 429]


def test_a_good_key_is_let_in_however_many_wrong_ones_came_from_its_address(alice: User) -> None:
    statuses(5, None, Authorization="Bearer wrong")
    assert statuses(1, None, Authorization=f"Bearer {key_of(alice)}") == [200]


def test_a_cancel_is_never_refused_and_never_counted(alice: User, job: ExportJob) -> None:
    statuses(3, alice)
    assert statuses(5, alice, "POST", job_url(job, "cancel")) == [200] * 5
    assert is_refused(call(alice, "GET", LIST))


def test_a_cancel_uses_nothing_up(alice: User, job: ExportJob) -> None:
    assert statuses(5, alice, "POST", job_url(job, "cancel")) == [200] * 5
    response = call(alice, "POST", job_url(job, "cancel"))
    assert [each["remaining"] for each in STANDING.finditer(response["RateLimit"])] == ["3", "1"]


def test_time_gives_back_what_was_used(alice: User, settings: Any) -> None:
    settings.API_RATE_LIMIT = parse("1/second")
    assert statuses(2, alice) == [200, 429]
    until(lambda: statuses(1, alice) == [200], seconds=5)


def test_without_redis_nobody_is_limited(alice: User, settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    with capture_logs() as logged:
        assert statuses(5, alice) == [200] * 5
        assert "RateLimit" not in call(alice, "GET", LIST)
    assert [each["event"] for each in logged].count("rates_not_counted") == 1


def test_a_redis_that_says_nothing_is_waited_for_once_and_not_long(alice: User, frozen: None) -> None:
    began = monotonic()
    assert statuses(1, alice, "PATCH", "/api/preferences") == [200]
    first = monotonic()
    assert statuses(5, alice, "PATCH", "/api/preferences") == [200] * 5
    assert (first - began < 1, (monotonic() - first) / 5 < first - began) == (True, True)


def test_redis_is_asked_again_after_a_pause(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = counting.counter(settings.REDIS_URL)
    counter._pause("it was away")
    assert statuses(4, alice) == [200] * 4
    monkeypatch.setattr(counter, "_asked_again_at", monotonic())
    assert statuses(4, alice) == [200] * 3 + [429]


@pytest.mark.parametrize(
    "rate", ["", "0/minute", "-1/minute", "ten/minute", "600", "600/year", "6.5/minute", "600/minutes x"]
)
def test_a_rate_that_makes_no_sense_stops_the_start(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    monkeypatch.setenv("API_RATE_LIMIT", rate or "/")
    with pytest.raises(ImproperlyConfigured, match=r"^API_RATE_LIMIT must be [^\n]*\.$"):
        environment.rate("API_RATE_LIMIT", "600/minute")


@pytest.mark.parametrize(("rate", "seconds"), [("600/minute", 60), ("10 / second", 1), ("5/HOUR", 3600)])
def test_a_rate_is_read_as_meant(monkeypatch: pytest.MonkeyPatch, rate: str, seconds: int) -> None:
    monkeypatch.setenv("API_RATE_LIMIT", rate)
    read = environment.rate("API_RATE_LIMIT", "1/day")
    assert (read.amount, read.get_expiry()) == (int(rate.split("/")[0]), seconds)
