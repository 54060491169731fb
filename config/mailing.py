"""EMAIL_URL and SITE_URL: where e-mails go out, and what they link to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

NOWHERE = "django.core.mail.backends.dummy.EmailBackend"
_CONSOLE = "django.core.mail.backends.console.EmailBackend"
_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


@dataclass(frozen=True)
class MailServer:
    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    is_upgraded: bool = False
    """STARTTLS."""
    is_tls: bool = False
    """From the first byte."""


def server(url: str) -> MailServer:
    """Empty: no e-mail is sent. Raise ImproperlyConfigured."""
    if url in ("", "console:"):
        return MailServer(_CONSOLE if url else NOWHERE)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _nonsense() from error
    has_more = bool(parts.path.strip("/") or parts.query or parts.fragment)
    is_half_a_login = bool(parts.username) != bool(parts.password)
    if parts.scheme not in _PORTS or not parts.hostname or has_more or is_half_a_login:
        raise _nonsense()
    return MailServer(
        backend=_SMTP,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_upgraded=parts.scheme == "smtp+tls",
        is_tls=parts.scheme == "smtp+ssl",
    )


def check_site_url(url: str, mail: MailServer) -> None:
    """Raise ImproperlyConfigured when e-mails are to be sent that could link nowhere."""
    parts = urlsplit(url)
    is_address = parts.scheme in ("http", "https") and parts.hostname
    if (url or mail.backend != NOWHERE) and (not is_address or parts.path or parts.query):
        raise ImproperlyConfigured(
            f"SITE_URL must be the site's address, such as https://hub.example.org: e-mails link to it; not {url!r}."
        )


def sender(site_url: str) -> str:
    return f"Cell Segmentation Hub <exports@{urlsplit(site_url).hostname or 'localhost'}>"


def _nonsense() -> ImproperlyConfigured:
    """It does not repeat the value, which may hold a password."""
    return ImproperlyConfigured(
        "EMAIL_URL must be console:, smtp://host, smtp+tls://user:password@host:587 or smtp+ssl://user:password@host."
    )
