"""A user may have so many sockets open and no more; what one closes is free again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from exports import consumers
from tests.streams import Opener, close_code, hear


@pytest.mark.usefixtures("no_ticks")
async def test_a_socket_too_many_is_closed_and_the_others_stay(
    open_stream: Opener, alice: User, bob: User, settings: Any
) -> None:
    settings.MAX_SOCKETS_PER_USER = 2
    first, second = await open_stream(alice), await open_stream(alice)
    assert await close_code(await open_stream(alice)) == consumers.CloseCode.TOO_MANY_SOCKETS
    for stream in (second, await open_stream(bob)):
        assert (await hear(stream))["type"] == "export:snapshot"
    await first.disconnect(timeout=10)
    assert (await hear(await open_stream(alice)))["type"] == "export:snapshot"


@pytest.mark.usefixtures("no_ticks")
async def test_who_is_not_logged_in_takes_no_seat(open_stream: Opener) -> None:
    assert await close_code(await open_stream(None)) == consumers.CloseCode.NOT_LOGGED_IN
    assert not consumers.seats._taken
