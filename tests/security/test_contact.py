"""Where to write about a hole."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from config.contact import checked

PLACE = "/.well-known/security.txt"


def test_who_is_named_can_be_found(settings: Any) -> None:
    settings.SECURITY_CONTACT, settings.SITE_URL = "mailto:security@example.org", "https://hub.example.org"
    answer = Client().get(PLACE)
    facts = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert facts["Contact"] == "mailto:security@example.org"
    assert facts["Canonical"] == f"https://hub.example.org{PLACE}"
    assert timezone.now() < datetime.fromisoformat(facts["Expires"]) < timezone.now() + timedelta(days=365)


def test_without_a_name_there_is_nothing(settings: Any, db: None) -> None:
    settings.SECURITY_CONTACT = ""
    assert Client().get(PLACE).status_code == 404


@pytest.mark.parametrize(
    "contact", ["security@example.org", "javascript:1", "mailto:a@b\nContact: c", "mailto:a b"]
)
def test_an_address_that_makes_no_sense_stops_the_start(contact: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECURITY_CONTACT must be"):
        checked(contact)
