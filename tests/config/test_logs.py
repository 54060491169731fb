from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from django.test import Client

from config import logs
from tests.printed import lines_of, printed

NASTY = "name\r\n{}\x1b[31m\x00\x85\u2028\u2029 end"
log = structlog.get_logger("tests.logs")


@pytest.fixture
def stream() -> Iterator[StringIO]:
    with printed() as found:
        yield found


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with printed() as found:
        yield found


def test_a_line_says_when_where_and_by_which_program(stream: StringIO) -> None:
    log.info("told", job="a")
    (line,) = lines_of(stream)
    assert {*line} == {"event", "job", "level", "logger", "timestamp", "process", "pid", "version"}
    assert (line["level"], line["logger"], line["pid"]) == ("info", "tests.logs", os.getpid())
    assert (line["version"], line["timestamp"][-1]) == ("1.2.3", "Z")


def test_lines_of_libraries_say_the_same(stream: StringIO) -> None:
    logging.getLogger("library").warning("it is %s", "late")
    (line,) = lines_of(stream)
    assert (line["event"], line["level"], line["logger"]) == ("it is late", "warning", "library")
    assert line["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("/srv/config/web.py --fd 3 config.asgi:application", "web"),
        ("manage.py rqworker exports", "worker"),
        ("manage.py sweep_exports --repeat 15", "scheduler"),
        ("manage.py sweep_exports", "sweep"),
        ("manage.py migrate", "migrate"),
        ("manage.py up", "up"),
    ],
)
def test_each_program_has_its_name(command: str, program: str) -> None:
    assert logs._program_of(command.split()) == program


def test_a_forked_horse_says_so(stream: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_program", "worker")
    logs.become("work_horse")
    log.info("told")
    assert lines_of(stream)[0]["process"] == "work_horse"


@pytest.mark.parametrize("where", ["stream", "screen"])
def test_no_value_begins_a_second_line(where: str, request: pytest.FixtureRequest) -> None:
    found: StringIO = request.getfixturevalue(where)
    log.info(NASTY, name=NASTY)
    logging.getLogger("library").warning("%s", NASTY)
    assert len(found.getvalue().splitlines()) == 2
    assert found.getvalue().isascii() or where == "screen"


def test_nothing_that_was_named_colours_the_screen(screen: StringIO) -> None:
    log.info("told", name="\x1b[31mred")
    assert "\x1b[31mred" not in screen.getvalue()
    assert "\\x1b[31mred" in screen.getvalue()


def test_a_traceback_stays_in_its_line(stream: StringIO) -> None:
    try:
        raise ValueError("wrong\nsecond")
    except ValueError:
        log.exception("failed")
    (line,) = lines_of(stream)
    assert line["exception"].startswith("Traceback")
    assert "test_a_traceback" in line["exception"]


def test_a_traceback_shows_no_values_on_the_screen(screen: StringIO) -> None:
    hidden = "swordfish"
    try:
        raise ValueError(len(hidden))
    except ValueError:
        log.exception("failed")
    assert "ValueError" in screen.getvalue()
    assert "'swordfish'" not in screen.getvalue()


@pytest.mark.parametrize("where", ["stream", "screen"])
def test_secrets_of_an_address_or_a_header_are_hidden(where: str, request: pytest.FixtureRequest) -> None:
    found: StringIO = request.getfixturevalue(where)
    logging.getLogger("twisted").error("GET /ws/exports/?scope=all&token=abc.DEF:1-2_x failed")
    log.warning("odd", headers={"authorization": "Bearer csh_secret", "cookie": "sessionid=s3cr3t; a=b"})
    for secret in ("abc", "DEF", "csh_secret", "s3cr3t"):
        assert secret not in found.getvalue()
    assert found.getvalue().count("[hidden]") == 3


def test_what_a_client_did_wrong_is_one_calm_line(stream: StringIO, client: Client) -> None:
    client.raise_request_exception = False
    assert client.get("/exports/", headers={"host": "evil host"}).status_code == 400
    refused = [line for line in lines_of(stream) if line["level"] != "info"]
    assert [line["level"] for line in refused] == ["warning"]
    assert "exception" not in refused[0]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nowhere/", "/api/nowhere", "/api/projects", "/exports/"])
def test_a_refusal_is_one_line(stream: StringIO, client: Client, path: str) -> None:
    client.get(path)
    (line,) = lines_of(stream)
    assert (line["event"], line["level"], line["path"]) == ("request", "info", path)
