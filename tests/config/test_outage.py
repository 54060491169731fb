from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.outage import OUTAGE
from projects import views
from projects.models import Project


@pytest.mark.parametrize("error", OUTAGE)
def test_without_the_database_a_page_says_so_calmly(
    project: Project,
    alice: User,
    client_of: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    def refuse(_: object) -> None:
        raise error("/var/secret")

    client = client_of(alice)
    monkeypatch.setattr(views, "_listed", refuse)
    page = client.get(project.get_absolute_url())
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Nothing is lost" in page.content.decode()
    assert "secret" not in page.content.decode()


def test_another_error_stays_one(
    project: Project, alice: User, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    client = client_of(alice)
    client.raise_request_exception = False
    monkeypatch.setattr(views, "_listed", fail)
    assert client.get(project.get_absolute_url()).status_code == 500
