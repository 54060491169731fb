"""Which pages may open a socket: those of this site. Browsers leave it to the server to look."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host


class OwnPages:
    """Both the Host and the Origin have to be allowed hosts; programs without a page say an Origin too."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        served = self._application if _is_allowed(scope["headers"]) else WebsocketDenier()
        return await served(scope, receive, send)


def _is_allowed(headers: list[tuple[bytes, bytes]]) -> bool:
    if "*" in settings.ALLOWED_HOSTS:
        return True
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    if len(hosts) != 1 or len(origins) != 1:
        return False
    return _is_ours(hosts[0]) and _is_page_of_ours(origins[0])


def _is_page_of_ours(origin: str) -> bool:
    """`null`, which a page in a sandbox says, is nobody's."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and _is_ours(parts.netloc)


def _is_ours(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
