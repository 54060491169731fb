"""What a card tells of its export, in a real browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from exports import lifecycle
from exports.cleaning import clean
from exports.messages import Advance, PublishedFile
from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import overflow, violations
from tests.conftest import add_image
from tests.jobs import download, request_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def telling(failed: ExportJob, project: Project, alice: User, bob: User) -> Project:
    """With an export in each state that has something to tell, and changed since."""
    cancelled, _ = lifecycle.request(request_for(project, bob))
    lifecycle.cancel(cancelled.pk, lifecycle.actor(alice))
    warned, _ = lifecycle.request(request_for(project, alice))
    warnings = [{"code": "image_missing", "message": "Gone.", "image": "x" * 90}] * 30
    claimed = lifecycle.claim(warned.pk)
    lifecycle.complete(warned.pk, claimed.attempt, PublishedFile("a.zip", 10**9, "ab" * 32), warnings)
    add_image(project, "new.png", None)
    return project


def live(page: Page) -> Page:
    expect(page.locator("body")).to_have_attribute("data-live", "websocket")
    return page


def card_in(page: Page) -> Locator:
    return page.locator("[data-export-id]")


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('.export details').forEach((each) => (each.open = true))")


def test_an_opened_story_stays_open_and_goes_on_when_the_export_ends(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    card = card_in(live(open_page(processing.project.get_absolute_url(), alice)))
    summary = card.get_by_text("What happened")
    summary.click()
    expect(card.locator("ol")).to_contain_text("A worker began to build it")
    lifecycle.complete(processing.pk, 1, PublishedFile("a.zip", 1, "0" * 64), [])
    expect(card.locator("ol")).to_contain_text("Ready to download")
    expect(card.locator("ol")).to_be_visible()
    expect(summary).to_be_focused()


def test_the_focus_stays_on_the_button_that_copies_when_the_card_is_made_anew(
    completed: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = live(open_page(completed.project.get_absolute_url(), alice))
    button = page.get_by_role("button", name="Copy the SHA-256")
    button.focus()
    download(completed.pk)
    expect(page.get_by_text("Delete file")).to_be_visible()
    expect(button).to_be_focused()


def test_a_story_is_told_without_scripts(cancelled: ExportJob, alice: User, open_page: OpenPage) -> None:
    card = card_in(open_page("/exports/", alice, java_script_enabled=False))
    expect(card.locator("ol")).to_be_hidden()
    card.get_by_text("What happened").click()
    expect(card.locator("li").last).to_have_text(re.compile(r"\d\d:\d\d:\d\d\s+Cancelled\s+by you"))


def test_the_checksum_is_copied_whole(completed: ExportJob, alice: User, open_page: OpenPage) -> None:
    page = open_page("/exports/", alice, permissions=["clipboard-read", "clipboard-write"])
    code = card_in(page).locator("code")
    assert code.evaluate("each => each.scrollWidth > each.clientWidth")
    page.get_by_role("button", name="Copy the SHA-256").click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == completed.sha256


def test_where_a_page_may_not_copy_the_checksum_is_selected(
    completed: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/exports/", alice)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the SHA-256").click()
    expect(page.get_by_text("Selected").first).to_be_visible()
    assert page.evaluate("String(getSelection())") == completed.sha256


def test_the_checksum_is_shown_whole_without_scripts(
    completed: ExportJob, alice: User, open_page: OpenPage
) -> None:
    card = card_in(open_page("/exports/", alice, java_script_enabled=False))
    expect(card.locator("code")).to_have_text(completed.sha256 or "-")
    expect(card.get_by_role("button", name="Copy the SHA-256")).to_be_hidden()
    box = card.locator("code").bounding_box()
    assert box
    assert box["height"] > 30  # on several lines


def test_a_stage_is_told_in_numbers_as_it_goes_on(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    card = card_in(live(open_page(processing.project.get_absolute_url(), alice)))
    lifecycle.beat(processing.pk, 1, Advance(42, "images", 1234, 20_000, "Hm"))
    expect(card.locator("[data-words=stage]")).to_have_text("Image 1,234 of 20,000")
    lifecycle.beat(processing.pk, 1, Advance(97, "publishing", 0, 1, "Hm"))
    expect(card.locator("[data-words=stage]")).to_have_text("Checking the archive")


def test_the_receipt_of_a_cancel_is_completed_when_all_is_removed(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    card = card_in(live(open_page(processing.project.get_absolute_url(), alice)))
    card.get_by_role("button", name="Cancel export").click()
    expect(card.locator("dl")).to_contain_text("it will never complete")
    expect(card).to_contain_text("Cancelled by you")
    clean(processing.pk)
    expect(card.locator("dl")).to_contain_text("nothing, 0 bytes freed")


def test_downloads_are_counted_as_they_happen(completed: ExportJob, alice: User, open_page: OpenPage) -> None:
    page = live(open_page(completed.project.get_absolute_url(), alice))
    for count in ("once", "2 times"):
        with page.expect_download():
            page.get_by_role("link", name="Download").click()
        expect(page.locator("[data-words=downloads]")).to_have_text(count)


def test_a_history_is_looked_through_without_scripts(
    completed: ExportJob, project: Project, alice: User, open_page: OpenPage
) -> None:
    lifecycle.request(request_for(project, alice, metrics_formats=["csv"]))
    page = open_page("/exports/", alice, java_script_enabled=False)
    expect(card_in(page)).to_have_count(2)
    page.get_by_label("Status").select_option("Ready to download")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(card_in(page)).to_have_attribute("data-status", "completed")
    expect(page.get_by_label("Status")).to_have_value("ready")
    page.get_by_role("link", name="Show all").click()
    expect(card_in(page)).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_card_keeps_anybody_out(telling: Project, alice: User, open_page: OpenPage, scheme: str) -> None:
    page = open_page("/exports/", alice, color_scheme=scheme, reduced_motion="reduce")
    for path in ("/exports/", telling.get_absolute_url()):
        live(page).goto(path)
        open_all(page)
        assert violations(page) == [], path


@pytest.mark.parametrize("scripts", [True, False])
def test_no_card_is_wider_than_a_small_phone(
    telling: Project, alice: User, open_page: OpenPage, scripts: bool
) -> None:
    page = open_page("/exports/", alice, viewport={"width": 320, "height": 640}, java_script_enabled=scripts)
    for path in ("/exports/", telling.get_absolute_url()):
        page.goto(path)
        for summary in page.locator(".export summary").all():
            summary.click()
        assert overflow(page) == 0, path
