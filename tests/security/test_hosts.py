"""The site answers to its own names only, and repeats no other."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

FOREIGN = ["evil.example", "localhost.evil.example", "localhost@evil.example", "a b", "evil.example:80:80"]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/projects", "/admin/", "/nothing"])
def test_a_foreign_host_is_refused_and_named_nowhere(settings: Any, host: str, path: str) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    answer = Client().get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode() + str(answer.headers)
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_what_a_proxy_says_of_the_host_is_not_believed() -> None:
    answer = Client().get("/", headers={"X-Forwarded-Host": "evil.example"})
    assert answer["Location"] == "/accounts/login/?next=/"
