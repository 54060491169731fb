from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
import structlog
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import AsyncClient, Client

from config.tracing import ANSWERED
from projects import views
from projects.models import Project
from tests.printed import lines_of, printed


@pytest.fixture
def stream() -> Iterator[StringIO]:
    with printed() as found:
        yield found


def ends(stream: StringIO) -> list[tuple[str, int]]:
    return [(line["path"], line["status"]) for line in lines_of(stream) if line["event"] == "request"]


def test_the_proxys_id_comes_back(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "Proxy_1.a-b"})["X-Request-ID"] == "Proxy_1.a-b"


@pytest.mark.parametrize("sent", ["", "a b", "a\tb", "x" * 65, "é", "a/b", '"'])
def test_an_id_that_makes_no_sense_is_replaced(client: Client, sent: str) -> None:
    answered = client.get("/healthz", headers={"x-request-id": sent})["X-Request-ID"]
    assert answered != sent
    assert len(answered) == 32


def test_two_requests_have_two_ids(client: Client) -> None:
    assert len({client.get("/healthz")["X-Request-ID"] for _ in range(2)}) == 2


async def test_an_asynchronous_site_traces_as_well() -> None:
    with printed() as stream:
        answer = await AsyncClient().get("/nowhere/", headers={"x-request-id": "later"})
    assert answer["X-Request-ID"] == "later"
    (line,) = lines_of(stream)
    assert (line["request_id"], line["status"], line["method"]) == ("later", 404, "GET")


@pytest.mark.django_db
def test_every_line_of_a_request_has_its_id_and_user(
    project: Project, alice: User, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OperationalError("away")

    client = client_of(alice)
    monkeypatch.setattr(views, "_listed", refuse)
    with printed() as stream:
        client.get(project.get_absolute_url(), headers={"x-request-id": "one"})
    lines = lines_of(stream)
    assert "database_unavailable" in {line["event"] for line in lines}
    assert {(line["request_id"], line["user"]) for line in lines} == {("one", alice.pk)}


def test_what_comes_after_a_request_is_not_its_own(client: Client, stream: StringIO) -> None:
    client.get("/nowhere/")
    structlog.get_logger("tests").info("later")
    assert "request_id" not in lines_of(stream)[-1]


def test_queries_are_not_logged(client: Client, stream: StringIO) -> None:
    client.get("/nowhere/?token=secret&password=secret&q=private")
    assert ends(stream) == [("/nowhere/", 404)]
    assert "secret" not in stream.getvalue()
    assert "private" not in stream.getvalue()


def test_the_token_of_a_reset_link_is_not_logged(client: Client, stream: StringIO, db: None) -> None:
    client.get("/accounts/reset/MQ/cx1-5ecre7/")
    assert "5ecre7" not in stream.getvalue()
    assert [path for path, _ in ends(stream)] == ["/accounts/reset/MQ/[hidden]/"]


def test_asking_for_health_is_not_worth_a_line(client: Client, stream: StringIO) -> None:
    client.get("/healthz")
    assert lines_of(stream) == []


def test_answers_are_counted_by_method_and_status(client: Client) -> None:
    counted = ANSWERED.labels("GET", "404")
    before = counted._value.get()
    client.get("/nowhere/")
    client.generic("BREW", "/nowhere/")
    assert counted._value.get() == before + 1
