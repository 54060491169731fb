"""What browsers are told: every answer has the policy, and what was uploaded can never run."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from projects import views
from projects.models import Image, Project
from tests.conftest import add_image

pytestmark = pytest.mark.django_db
EVERYBODYS = ["/accounts/login/", "/admin/login/", "/api/nothing", "/healthz", "/language/de.js", "/nothing"]
MEMBERS = [
    "/",
    "/exports/",
    "/exports/settings/",
    "/api/docs",
    "/api/openapi.json",
    "/admin/",
    "/admin/auth/user/",
]


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin", password="admin")


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    return client


@pytest.fixture
def image(admin: User) -> Image:
    return add_image(Project.objects.create(name="Nuclei", owner=admin), "a.png", [])


def is_guarded(answer: Any) -> bool:
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy
    return (
        "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and answer["X-Content-Type-Options"] == "nosniff"
        and answer["X-Frame-Options"] == "DENY"
        and answer["Referrer-Policy"] == "same-origin"
        and answer["Cross-Origin-Opener-Policy"] == "same-origin"
        and answer["Cross-Origin-Resource-Policy"] == "same-origin"
        and "camera=()" in answer["Permissions-Policy"]
    )


@pytest.mark.parametrize("path", EVERYBODYS)
def test_what_anybody_may_open_is_guarded(path: str) -> None:
    assert is_guarded(Client().get(path, secure=True))


@pytest.mark.parametrize("path", MEMBERS)
def test_pages_of_users_and_staff_are_guarded(browser: Client, path: str) -> None:
    answer = browser.get(path, secure=True)
    assert answer.status_code == 200
    assert is_guarded(answer)


def test_a_page_that_fails_is_guarded(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(views, "_listed", fails)
    answer = browser.get("/", secure=True)
    assert (answer.status_code, is_guarded(answer)) == (500, True)


def test_a_refused_form_is_guarded() -> None:
    answer = Client(enforce_csrf_checks=True).post("/language/", {"language": "de"}, secure=True)
    assert (answer.status_code, is_guarded(answer)) == (403, True)
    assert "This form is no longer valid" in answer.content.decode()


@pytest.mark.parametrize("path", ["file", "thumbnail", "outlines.svg"])
def test_a_picture_opened_on_its_own_can_run_nothing(browser: Client, image: Image, path: str) -> None:
    answer = browser.get(f"{image.get_absolute_url()}{path}")
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"].startswith("image/")


def test_a_preview_is_a_picture_too(browser: Client, image: Image) -> None:
    answer = browser.get(f"/projects/{image.project_id}/export/preview/", {"image": image.pk})
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Security-Policy"].endswith("sandbox")


def test_browsers_insist_on_https() -> None:
    answer = Client().get("/accounts/login/", secure=True)
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_cookies_go_to_nobody_else(admin: User) -> None:
    client = Client()
    page = client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", {"username": "admin", "password": "admin"}, secure=True)
    session = client.cookies["sessionid"]
    assert page.cookies["csrftoken"]["secure"]
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")


def test_the_names_of_cookies_are_those_that_programs_know(settings: Any) -> None:
    assert (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME) == ("sessionid", "csrftoken")
