"""What people do, in a real browser against the real site."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from exports import build, lifecycle
from exports.messages import Advance
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


def start_export(page: Page) -> str:
    """Through the dialog; the id of the new export."""
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export project")
    dialog.get_by_role("button", name="Start export").click()
    expect(dialog).to_be_hidden()
    return str(page.locator("[data-export-id]").first.get_attribute("data-export-id"))


def test_log_in_export_watch_and_download(
    big_project: Project, alice: User, worker: None, open_page: OpenPage, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    alice.set_password("secret of alice")
    alice.save(update_fields=["password"])
    page = open_page("/accounts/login/", alice)
    page.context.clear_cookies()
    page.goto(f"/accounts/login/?next={big_project.get_absolute_url()}")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("secret of alice")
    page.get_by_role("button", name="Log in").click()
    with page.expect_download(timeout=60_000) as waiting:
        card = page.locator(f"#export-{start_export(page)}")
        expect(card).to_have_attribute("data-status", "processing")
        expect(card.get_by_role("progressbar")).to_be_visible()
    downloaded = hashlib.sha256(Path(waiting.value.path()).read_bytes()).hexdigest()
    expect(card).to_have_attribute("data-status", "completed")
    assert downloaded == ExportJob.objects.get().sha256


def test_a_cancelled_export_says_so_and_downloads_nothing(
    big_project: Project, alice: User, worker: None, open_page: OpenPage
) -> None:
    page = open_page(big_project.get_absolute_url(), alice)
    downloads: list[object] = []
    page.on("download", lambda download: downloads.append(download))
    card = page.locator(f"#export-{start_export(page)}")
    expect(card).to_have_attribute("data-status", "processing")
    card.get_by_role("button", name="Cancel export").click()
    expect(card).to_have_attribute("data-status", "cancelled")
    expect(card.locator("[data-words=status]")).to_have_text("Cancelled")
    expect(card.get_by_role("link", name="Download")).to_have_count(0)
    assert ExportJob.objects.get().status == Status.CANCELLED
    assert downloads == []


def test_a_download_by_hand_gives_the_file(completed: ExportJob, alice: User, open_page: OpenPage) -> None:
    page = open_page(completed.project.get_absolute_url(), alice)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    assert hashlib.sha256(Path(waiting.value.path()).read_bytes()).hexdigest() == completed.sha256
    assert waiting.value.suggested_filename == completed.download_name
    expect(page.get_by_role("button", name="Cancel export")).to_be_hidden()


def test_progress_is_shown_without_moving_the_page(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    expect(page.locator("body")).to_have_attribute("data-live", "websocket")
    card = page.locator("[data-export-id]")
    before = card.bounding_box()
    long = "Drawing the overlays of an image with quite a long name that goes on and on"
    lifecycle.beat(processing.pk, processing.attempt, Advance(42, "drawing", 1, 3, long))
    expect(card.get_by_role("progressbar")).to_have_js_property("value", 42)
    expect(card).to_contain_text(long)
    assert card.bounding_box() == before


def test_the_live_region_speaks_of_milestones(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    expect(page.locator("body")).to_have_attribute("data-live", "websocket")
    spoken = page.locator("[data-announcements]")
    lifecycle.beat(processing.pk, processing.attempt, Advance(55, "images", 1, 3, "Image 1"))
    expect(spoken).to_have_text("Export of Nuclei: 50 percent.")
    lifecycle.cancel(processing.pk, lifecycle.actor(alice))
    expect(spoken).to_have_text("Export of Nuclei was cancelled.")


def test_a_viewer_cannot_export(project: Project, vera: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), vera)
    button = page.get_by_role("button", name="Export", exact=True)
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(
        "You are a viewer here: looking is allowed, exporting is not. Ask the owner for the exporter role."
    )


def test_the_dialog_works_with_the_keyboard_and_gives_the_focus_back(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    opener = page.get_by_role("button", name="Export", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Export project")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[data-estimate]")).to_contain_text("3 images, 6 objects")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_wrong_choice_is_said_at_its_field_and_the_focus_goes_to_the_summary(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_label("Scale, µm per pixel").fill("5000")
    page.get_by_role("button", name="Start export").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.locator('[data-error-for="pixelToMicrometerScale"]')).to_contain_text("at most 1000")
    expect(page.get_by_label("Scale, µm per pixel")).to_have_attribute("aria-invalid", "true")


def test_only_the_ticked_images_are_exported(project: Project, alice: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), alice)
    page.get_by_label("Select b.png").check()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator("[data-estimate]")).to_contain_text("1 image, 3 objects")
    page.get_by_role("button", name="Start export").click()
    expect(page.locator("[data-export-id]")).to_have_count(1)
    chosen = [str(project.images.get(name="b.png").pk)]
    assert ExportJob.objects.get().options["selectedImageIds"] == chosen


def test_a_failed_export_is_tried_again(failed: ExportJob, alice: User, open_page: OpenPage) -> None:
    page = open_page(failed.project.get_absolute_url(), alice)
    expect(page.locator("[data-export-id]")).to_contain_text("The archive could not be built.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator('[data-status="pending"]')).to_have_count(1)
    assert ExportJob.objects.get(retry_of=failed).status == Status.PENDING


def test_everything_works_without_scripts(project: Project, alice: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), alice, java_script_enabled=False)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="Start export").click()
    card = page.locator("[data-export-id]")
    expect(card).to_have_attribute("data-status", "pending")
    build.run(ExportJob.objects.get().pk)
    expect(card).to_have_attribute("data-status", "completed")  # the page reloads itself
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    assert Path(waiting.value.path()).stat().st_size == ExportJob.objects.get().file_size


def test_an_export_is_cancelled_without_scripts(job: ExportJob, alice: User, open_page: OpenPage) -> None:
    page = open_page(job.project.get_absolute_url(), alice, java_script_enabled=False)
    page.get_by_role("button", name="Cancel export").click()
    expect(page.locator("[data-export-id]")).to_have_attribute("data-status", "cancelled")
