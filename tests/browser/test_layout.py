"""Nothing that a reader looks at jumps: the browser's own measure of layout shift stays at nothing."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from exports import lifecycle
from exports.messages import Advance
from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_promises import is_live

pytestmark = pytest.mark.django_db(transaction=True)
# Also those that follow a click, which the usual sum leaves out.
MEASURE = """
    window.shifted = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries())
            window.shifted.push(`${value.toFixed(4)} ${sources.map(({ node }) => node?.outerHTML?.slice(0, 90)).join(" | ")}`);
    }).observe({ type: "layout-shift", buffered: true });
"""


def shifted(page: Page) -> list[str]:
    """What moved so far, with how much of the screen, once the next frame is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return list(page.evaluate("window.shifted"))


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_while_a_page_loads_and_an_export_goes_on(
    processing: ExportJob, alice: User, open_page: OpenPage, width: int
) -> None:
    page = open_page("/", alice, viewport={"width": width, "height": 740})
    page.add_init_script(MEASURE)
    page.goto(processing.project.get_absolute_url(), wait_until="networkidle")
    is_live(page, "websocket")
    for done in range(1, 90, 8):
        lifecycle.beat(processing.pk, processing.attempt, Advance(done, "images", done, 90, ""))
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 89)
    assert shifted(page) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_in_the_dialog_when_the_estimate_and_the_preview_arrive(
    project: Project, alice: User, open_page: OpenPage, width: int
) -> None:
    page = open_page("/", alice, viewport={"width": width, "height": 740})
    page.goto(project.get_absolute_url(), wait_until="networkidle")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_text("Style of the overlays").click()
    page.evaluate(MEASURE.replace("buffered: true", "buffered: false"))
    expect(page.locator("overlay-preview img")).to_be_visible()
    expect(page.locator("[data-estimate]")).to_contain_text("3 images")
    assert shifted(page) == []
