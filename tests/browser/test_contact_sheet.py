"""The index.html of an unpacked archive in a real browser, from its folder and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route

from tests.browser.conftest import PATIENCE
from tests.browser.test_accessibility import PHONE, overflow, violations
from tests.exports.archive.guide.archives import damaged, unpacked
from tests.exports.archive.guide.images import HOSTILE, NAMES, varied

LONG = "a-name-that-goes-on-and-on-" * 6
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"color_scheme": "light", "viewport": PHONE},
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With odd names, something left out, and more images than stand on one page."""
    folder = tmp_path_factory.mktemp("sheet")
    names = [*NAMES[:-1], LONG + ".png", *(f"{number}.png" for number in range(60))]
    images = varied(folder / "images", names)
    fields = {"project_name": HOSTILE[0]}
    return unpacked(folder, images, [damaged(images[1])], fields, annotation_formats=["coco", "imagej"])


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def sheet(
    browser: Browser, archive: Path, complaints: list[str], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """index.html; whatever the browser complains of or fails to load is an error."""
    context = browser.new_context(offline=True, **getattr(request, "param", {}))
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda each: complaints.extend(_failure(each)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto((archive / "index.html").as_uri())
    yield page
    context.close()
    assert complaints == []


def _failure(request: Request) -> list[str]:
    """Nothing for what is no longer wanted because another page is opened."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


def missing_pictures(page: Page) -> list[str]:
    """Each is brought into sight and waited for."""
    found: list[str] = page.evaluate(
        """async () => {
            const missing = []
            for (const image of document.images) {
                image.scrollIntoView()
                await image.decode().catch(() => missing.push(image.src))
            }
            return missing
        }"""
    )
    return found


def test_every_picture_is_shown(sheet: Page) -> None:
    assert sheet.locator("img").count() == 60
    assert missing_pictures(sheet) == []
    sheet.get_by_role("link", name="Next").first.click()
    assert sheet.locator("img").count() == 5
    assert missing_pictures(sheet) == []


def test_only_what_comes_into_sight_is_loaded(sheet: Page) -> None:
    loaded = sheet.evaluate(
        "[...document.images].filter(image => image.complete && image.naturalWidth).length"
    )
    assert loaded < 60


@pytest.mark.parametrize("sheet", LOOKS, indirect=True, ids=["light", "dark", "phone"])
def test_the_page_keeps_nobody_out(sheet: Page) -> None:
    assert violations(sheet) == []


def test_the_further_pages_keep_nobody_out(sheet: Page) -> None:
    sheet.get_by_role("link", name="Next").first.click()
    assert violations(sheet) == []


@pytest.mark.parametrize("sheet", LOOKS[2:], indirect=True)
def test_the_page_is_not_wider_than_a_phone(sheet: Page) -> None:
    for summary in sheet.locator("summary").all():
        summary.click()
    assert overflow(sheet) == 0


def test_nothing_moves_when_pictures_arrive(browser: Browser, archive: Path) -> None:
    page, held = browser.new_page(), list[Route]()
    page.route("**/*.png", lambda route: held.append(route))
    page.goto((archive / "index.html").as_uri(), wait_until="domcontentloaded")
    page.wait_for_function("document.images.length === 60")
    without = page.evaluate("document.documentElement.scrollHeight")
    page.route("**/*.png", lambda route: route.continue_())  # before the older one from now on
    for route in held:
        route.continue_()
    assert missing_pictures(page) == []
    assert page.evaluate("document.documentElement.scrollHeight") == without
    page.close()


@pytest.mark.parametrize("sheet", LOOKS[:2], indirect=True)
def test_the_page_is_as_dark_as_is_wished(sheet: Page) -> None:
    is_dark = sheet.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    paper = sheet.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(14, 20, 19)" if is_dark else "rgb(245, 247, 246)")


def test_text_of_users_runs_nowhere_and_the_policy_would_not_let_it(
    sheet: Page, complaints: list[str]
) -> None:
    assert sheet.locator("h1").inner_text() == HOSTILE[0]
    assert sheet.locator("script").count() == 0
    ran = sheet.evaluate(
        """() => {
            const script = document.createElement("script")
            script.textContent = "window.ran = true"
            document.body.append(script)
            return window.ran === true
        }"""
    )
    assert not ran
    assert "violates the following Content Security Policy" in complaints.pop()


def test_a_plot_is_read_out_and_its_numbers_can_be_opened(sheet: Page) -> None:
    plot = sheet.get_by_role("img", name="Area of the objects")
    assert plot.count() == 1
    sheet.get_by_text("The numbers of this plot").first.click()
    assert sheet.get_by_role("table").first.get_by_role("row").count() > 2
