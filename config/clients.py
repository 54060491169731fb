"""Who is at the other end of a request, for limits: an address that its sender cannot choose."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

NETWORK_BITS = 64  # whoever has one IPv6 address of a network has all of them


def address_of(request: HttpRequest) -> str:
    """Of an IPv6 client, its network. Empty when there is none, as on a Unix socket without a proxy.

    Each of the TRUSTED_PROXIES adds to X-Forwarded-For, on the right, whom it was asked by; what stands further
    left is whatever the client wrote.
    """
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if settings.TRUSTED_PROXIES else []
    claimed = told[-settings.TRUSTED_PROXIES :][:1]
    return next(filter(None, map(_address, [*claimed, request.META.get("REMOTE_ADDR", "")])), "")


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    network = (int(address) >> NETWORK_BITS) << NETWORK_BITS
    return str(ipaddress.IPv6Address(network))
