"""Whom limits are counted for: the address that a proxy of ours saw, whatever the client says of itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from config.clients import address_of

CLIENT, PROXY, FORGED = "192.0.2.7", "10.0.0.1", "8.8.8.8"


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, "", PROXY),
        (0, FORGED, PROXY),
        (1, CLIENT, CLIENT),
        (1, f"{FORGED}, {CLIENT}", CLIENT),
        (1, f"{FORGED}, {FORGED},{FORGED},{CLIENT}", CLIENT),
        (2, f"{FORGED}, {CLIENT}, 10.0.0.2", CLIENT),
        (2, f"{CLIENT}", CLIENT),
        (1, "", PROXY),
        (1, "<script>", PROXY),
        (1, "::ffff:192.0.2.7", CLIENT),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ],
)
def test_a_client_cannot_choose_its_address(settings: Any, proxies: int, told: str, address: str) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": told}, REMOTE_ADDR=PROXY)
    assert address_of(request) == address


def test_a_client_without_an_address_has_none() -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="")) == ""
