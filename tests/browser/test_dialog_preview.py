"""The dialog's preview of an overlay, in a real browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_dialog import hold, opened

pytestmark = pytest.mark.django_db(transaction=True)


def styling(page: Page) -> Locator:
    """The open dialog's preview."""
    opened(page)
    page.get_by_text("Style of the overlays").click()
    return page.locator("overlay-preview")


def caption(preview: Locator) -> Locator:
    return preview.locator("[data-preview-words]")


def test_the_preview_shows_one_image_after_the_other(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    preview = styling(open_page(project.get_absolute_url(), alice))
    expect(caption(preview)).to_have_text("Image 1 of 3: a.png")
    expect(preview.get_by_role("img")).to_have_js_property("naturalWidth", 64)
    preview.get_by_role("button", name="Next image").click()
    expect(caption(preview)).to_have_text("Image 2 of 3: b.png")
    for _ in range(2):
        preview.get_by_role("button", name="Previous image").click()
    expect(caption(preview)).to_have_text("Image 3 of 3: empty.png")


def test_the_preview_turns_over_the_selected_images(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    page.get_by_label("Select b.png").check()
    preview = styling(page)
    expect(caption(preview)).to_have_text("Image 1 of 1: b.png")
    page.locator("[data-found]").get_by_label("b.png").uncheck()
    expect(caption(preview)).to_have_text("There is no image to show.")
    expect(preview.get_by_role("img")).to_be_hidden()
    page.locator("[data-found]").get_by_label("b.png").check()
    expect(preview.get_by_role("img")).to_be_visible()


def test_of_two_previews_the_newer_is_shown_and_nothing_moves(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    held = hold(page, "**/export/preview/**%22strokeWidth%22%3A2%2C**")
    with page.expect_request("**/export/preview/**"):
        preview = styling(page)
    page.get_by_label("Line width, px").focus()
    before = preview.bounding_box()
    page.get_by_label("Line width, px").fill("9")
    expect(preview.get_by_role("img")).to_be_visible()
    assert preview.bounding_box() == before
    newer = preview.get_by_role("img").get_attribute("src")
    with page.expect_response("**/export/preview/**"):
        held[0].continue_()
    expect(preview.get_by_role("img")).to_have_attribute("src", newer or "")


def test_a_preview_that_fails_says_why(project: Project, alice: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), alice)
    preview = styling(page)
    expect(preview.get_by_role("img")).to_be_visible()
    page.get_by_label("Line width, px").fill("99")
    expect(caption(preview)).to_contain_text("at most 20")
    expect(preview.get_by_role("img")).to_be_hidden()


def test_without_overlays_there_is_no_style_and_no_preview(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = opened(page)
    dialog.get_by_label("Overlays", exact=True).uncheck()
    expect(dialog.get_by_text("Style of the overlays")).to_be_hidden()
    dialog.get_by_label("Overlays", exact=True).check()
    expect(dialog.get_by_text("Style of the overlays")).to_be_visible()
