"""Every page by the rules of axe, in light and dark, and on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page

from exports import keys, lifecycle, presets
from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def busy_project(completed: ExportJob, project: Project, alice: User) -> Project:
    """With exports in several states, one of them with a long warning, and with saved choices."""
    presets.create(alice, project, presets.Wanted("For the paper", is_shared=True, options={}))
    lifecycle.request(request_for(project, alice, metrics_formats=["csv"]))
    ended, _ = lifecycle.request(request_for(project, alice, metrics_formats=["json"]))
    lifecycle.cancel(ended.pk, lifecycle.actor(alice))
    keys.create(alice, keys.Wanted("Nightly backup", "export", 90))
    return project


def pages(project: Project) -> Iterator[str]:
    yield from ("/", "/exports/", "/exports/settings/", "/accounts/keys/")
    yield from (project.get_absolute_url(), f"/projects/{project.pk}/export/")
    yield project.images.get(name="a.png").get_absolute_url()
    yield "/accounts/login/"


def open_dialog(page: Page) -> None:
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_text("Style of the overlays").click()


def violations(page: Page) -> list[str]:
    """What breaks a rule of WCAG 2 or a good practice, each with the elements concerned."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['html'][:160] for node in each['nodes']]}" for each in found]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(
    busy_project: Project, alice: User, open_page: OpenPage, scheme: str
) -> None:
    page = open_page("/", alice, color_scheme=scheme, reduced_motion="reduce")
    for path in pages(busy_project):
        page.goto(path, wait_until="networkidle")
        assert violations(page) == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_keeps_nobody_out(
    busy_project: Project, alice: User, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(busy_project.get_absolute_url(), alice, color_scheme=scheme, reduced_motion="reduce")
    open_dialog(page)
    assert violations(page) == []


@pytest.mark.parametrize(("width", "language"), [(320, "de"), (768, "en"), (3840, "en")])
def test_no_page_is_wider_than_its_screen(
    busy_project: Project, alice: User, open_page: OpenPage, width: int, language: str
) -> None:
    page = open_page("/", alice, viewport={"width": width, "height": 740}, locale=language)
    for path in pages(busy_project):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert overflow(page) == 0, path


@pytest.mark.parametrize("width", [320, 3840])
def test_the_dialog_fits_its_screen(
    busy_project: Project, alice: User, open_page: OpenPage, width: int
) -> None:
    page = open_page(busy_project.get_absolute_url(), alice, viewport={"width": width, "height": 740})
    open_dialog(page)
    assert overflow(page) == 0
    assert page.locator("dialog").evaluate("each => each.scrollWidth <= each.clientWidth")


def test_the_dark_scheme_is_dark(project: Project, alice: User, open_page: OpenPage) -> None:
    colors = [
        open_page("/", alice, color_scheme=scheme).evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        for scheme in ("light", "dark")
    ]
    assert colors == ["rgb(245, 247, 246)", "rgb(14, 20, 19)"]
