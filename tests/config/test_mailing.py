"""EMAIL_URL and SITE_URL: read as meant, or refused with one sentence that gives no password away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.mailing import NOWHERE, MailServer, check_site_url, sender, server
from tests.processes import ROOT

SMTP = "django.core.mail.backends.smtp.EmailBackend"
MEANT = {
    "smtp://mail": MailServer(SMTP, "mail", 25),
    "smtp://[::1]:1025": MailServer(SMTP, "::1", 1025),
    "smtp+tls://ann%40x.org:p%2Fw%3A@mail": MailServer(
        SMTP, "mail", 587, "ann@x.org", "p/w:", is_upgraded=True
    ),
    "smtp+ssl://ann:pw@mail/": MailServer(SMTP, "mail", 465, "ann", "pw", is_tls=True),
    "": MailServer(NOWHERE),
}
NONSENSE = (
    "mail.example.org", "smtp://", "http://ann:secret@mail", "smtp://ann@mail", "smtp://:secret@mail",
    "smtp://mail:port", "smtp://mail:70000", "smtp://ann:secret@mail/inbox", "smtp://ann:sec?ret@mail", "smtp://[::1",
)  # fmt: skip


@pytest.mark.parametrize("url", MEANT)
def test_a_mail_server_is_read_as_meant(url: str) -> None:
    assert server(url) == MEANT[url]


@pytest.mark.parametrize("url", NONSENSE)
def test_nonsense_is_one_sentence_without_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL must be [^\n]*\.$") as refusal:
        server(url)

    assert "sec" not in str(refusal.value)


@pytest.mark.parametrize("url", ["", "hub.example.org", "https://", "https://hub.example.org/a", "ftp://hub"])
def test_letters_need_an_address_to_link_to(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SITE_URL must be"):
        check_site_url(url, server("smtp://mail"))


def test_without_letters_no_address_is_needed() -> None:
    check_site_url("", server(""))
    assert "@localhost" in sender("")


def test_letters_come_from_the_sites_name() -> None:
    assert sender("https://hub.example.org:8443") == "Cell Segmentation Hub <exports@hub.example.org>"


def test_a_program_does_not_start_with_nonsense() -> None:
    given = os.environ | {"EMAIL_URL": "smtp://ann:secret@"}
    ran = subprocess.run(
        (sys.executable, "manage.py", "check"), cwd=ROOT, env=given, capture_output=True, text=True
    )
    assert ran.returncode != 0
    assert "EMAIL_URL must be" in ran.stderr
    assert "secret" not in ran.stderr + ran.stdout
