"""The web server waits for slow readers instead of keeping what they have not read in memory."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from config import processes
from config.listening import listen
from tests.config.endless import CHUNK, CHUNKS, END
from tests.processes import HOST
from tests.waiting import until

LIMITS = {"RECEIVE_TIMEOUT": "1 s", "SEND_TIMEOUT": "3 s"}
FEW_CHUNKS = 16  # MiB: what the sockets' own buffers may hold


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """The port of `config.web` with an endless body behind it."""
    with ExitStack() as stack:
        listener = stack.enter_context(listen(HOST, 0))
        listener.set_inheritable(True)
        process = processes.start(
            (sys.executable, "-m", "config.web", "-v", "0", "--fd", str(listener.fileno()),
             "tests.config.endless:application"),
            output=tmp_path / "log", environment={"PYTHONPATH": ".", "SECRET_KEY": "x", "DJANGO_SETTINGS_MODULE": "config.settings", **LIMITS},
            folder=Path(__file__).parents[2], inherited=(listener.fileno(),),
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield listener.getsockname()[1]


def get(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", path)
    return connection.getresponse()


def taken_once_still(port: int) -> int:
    """How many chunks were taken, when that has not changed for half a second of asking."""
    last, since = -1, monotonic()
    while monotonic() - since < 0.5:
        now = int(get(port, "/taken").read())
        if now != last:
            last, since = now, monotonic()
    return last


def test_a_reader_that_does_not_read_stops_the_body(server: int) -> None:
    unread = get(server, "/long")

    assert 0 < taken_once_still(server) < FEW_CHUNKS
    unread.close()


def test_a_slow_reader_gets_all_of_it(server: int) -> None:
    slow = get(server, "/long")
    taken_once_still(server)

    assert len(slow.read()) == CHUNKS * len(CHUNK) + len(str(CHUNKS))


def test_a_reader_that_leaves_holds_nothing_up_and_is_no_fault(server: int, tmp_path: Path) -> None:
    get(server, "/long").close()

    # The application is let go: it runs to its end, and what it sends is dropped.
    until(lambda: int(get(server, "/taken").read()) == CHUNKS + END, seconds=20)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_reader_that_never_reads_is_let_go(server: int) -> None:
    unread = get(server, "/long")
    until(lambda: int(get(server, "/taken").read()) >= CHUNKS)
    unread.close()
