from __future__ import annotations

import socket

import pytest

from config import listening


def test_a_port_in_use_is_one_sentence() -> None:
    with listening.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            listening.ListenError, match=rf"^Port {port} on 127\.0\.0\.1 is in use by another program"
        ):
            listening.listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(listening.ListenError, match="HOST is not an address of this machine"):
        listening.listen("192.0.2.1", 0)


def test_a_host_that_is_no_name_is_one_sentence() -> None:
    with pytest.raises(listening.ListenError, match="HOST no such host is not an IPv4 address or name"):
        listening.listen("no such host", 0)


def test_a_port_that_was_just_closed_can_be_opened_again() -> None:
    with listening.listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            first.accept()[0].close()
    listening.listen("127.0.0.1", port).close()


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("0.0.0.0", False), ("192.0.2.1", False)],
)
def test_only_this_machine_reaches_a_loopback_address(host: str, is_loopback: bool) -> None:
    assert listening.is_loopback(host) is is_loopback


def test_a_web_server_that_does_not_answer_is_missing() -> None:
    with listening.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    assert listening.what_is_missing("127.0.0.1", port, "localhost").startswith(
        "the web server does not answer"
    )
