"""The dialog that starts an export, in a real browser: which images, scale, presets, and what is remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Route, expect

from exports import lifecycle
from exports.models import ExportJob
from projects.models import Image, Project
from tests.browser.conftest import OpenPage
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)


def opened(page: Page) -> Locator:
    page.get_by_role("button", name="Export", exact=True).click()
    return page.get_by_role("dialog", name="Export project")


def picking(page: Page) -> Locator:
    """The dialog with the list of images."""
    dialog = opened(page)
    dialog.get_by_label("Only selected images").check()
    expect(dialog.locator("[data-found-words]")).not_to_be_empty()
    return dialog


def started(dialog: Locator) -> dict[str, Any]:
    """The options of the export that is started by it."""
    dialog.get_by_role("button", name="Start export").click()
    expect(dialog).to_be_hidden()
    options: dict[str, Any] = ExportJob.objects.latest("created_at").options
    return options


def hold(page: Page, pattern: str) -> list[Route]:
    """Requests to it wait in the list that is returned."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def stop_clock(page: Page) -> None:
    """Its timers run only when the test lets them."""
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))


def with_images(project: Project, count: int) -> Project:
    """Rows without files: nobody looks at them."""
    Image.objects.bulk_create(
        Image(
            project=project, name=f"many-{number:05}.png", file="none", width=64, height=48, size=9, sha256="0" * 64
        )
        for number in range(count)
    )  # fmt: skip
    return project


def test_what_a_search_finds_is_selected_here_and_on_the_page(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = picking(page)
    dialog.get_by_label("Search images by name").fill("B.P")
    expect(dialog.locator("[data-found-words]")).to_have_text("1 image found")
    dialog.get_by_role("button", name="Select all 1 found").click()
    expect(dialog.get_by_label("b.png")).to_be_checked()
    expect(dialog.locator("[data-picked]")).to_have_text("1 of 3 images selected")
    expect(page.get_by_label("Select b.png")).to_be_checked()
    expect(dialog.locator("[data-estimate]")).to_contain_text("1 image, 3 objects")
    assert started(dialog)["selectedImageIds"] == [str(project.images.get(name="b.png").pk)]


def test_what_is_ticked_on_the_page_is_ticked_in_the_dialog_and_the_other_way_round(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    page.get_by_label("Select a.png").check()
    dialog = opened(page)
    expect(dialog.get_by_label("Only selected images")).to_be_checked()
    expect(dialog.get_by_label("a.png")).to_be_checked()
    dialog.get_by_label("a.png").uncheck()
    dialog.get_by_label("empty.png").check()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Select a.png")).not_to_be_checked()
    expect(page.get_by_label("Select empty.png")).to_be_checked()
    expect(page.get_by_text("1 selected", exact=True)).to_be_visible()


def test_only_selected_images_and_none_selected_is_refused_before_it_is_sent(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = picking(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    dialog.get_by_role("button", name="Start export").click()
    expect(dialog.locator("[data-error-summary]")).to_be_focused()
    expect(dialog.get_by_text("Select at least one image, or take all.")).to_be_visible()
    assert "POST" not in sent
    dialog.get_by_label("All images (3)").check()
    expect(dialog.locator("[data-error-summary]")).to_be_hidden()
    assert started(dialog)["selectedImageIds"] is None


def test_of_two_searches_the_newer_is_shown_whichever_is_answered_last(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = picking(page)
    held = hold(page, "**/images?search=a*")
    search = dialog.get_by_label("Search images by name")
    with page.expect_request("**/images?search=a*"):
        search.fill("a")
    search.fill("b")
    expect(dialog.get_by_role("checkbox", name=".png")).to_have_count(1)
    with page.expect_response("**/images?search=a*"):
        held[0].continue_()
    assert dialog.locator("[data-found] [data-name]").all_inner_texts() == ["b.png"]


def test_the_list_goes_on_page_by_page_with_the_focus_on_what_is_new(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(with_images(project, 120).get_absolute_url(), alice)
    dialog = picking(page)
    rows = dialog.locator("[data-found] li")
    expect(rows).to_have_count(100)
    dialog.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(123)
    expect(rows.nth(100).get_by_role("checkbox")).to_be_focused()
    expect(dialog.get_by_role("button", name="Show more")).to_be_hidden()


def test_twenty_thousand_images_are_selected_without_being_listed(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(with_images(project, 19_997).get_absolute_url(), alice)
    dialog = picking(page)
    dialog.get_by_role("button", name="Select all 20,000 found").click()
    expect(dialog.locator("[data-picked]")).to_have_text("20,000 of 20,000 images selected")
    expect(dialog.locator("[data-estimate]")).to_contain_text("20,000 images")
    assert page.locator("*").count() < 3_000
    dialog.get_by_label("Search images by name").fill("many")
    dialog.get_by_role("button", name="Select all 19,997 found").wait_for()
    dialog.get_by_role("button", name="Deselect all found").click()
    expect(dialog.locator("[data-picked]")).to_have_text("3 of 20,000 images selected")


def test_images_that_are_gone_leave_the_selection_and_that_is_said(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    page.get_by_label("Select a.png").check()
    page.get_by_label("Select b.png").check()
    project.images.filter(name="a.png").update(removed_at=project.created_at)
    dialog = opened(page)
    expect(dialog.locator("[data-images-note]")).to_have_text(
        "1 image that was selected is no longer in this project."
    )
    expect(dialog.locator("[data-estimate]")).to_contain_text("1 image, 3 objects")
    assert len(started(dialog)["selectedImageIds"]) == 1


def test_the_scale_of_the_images_is_shown_and_sent_only_when_it_is_changed(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    scale = opened(page).get_by_label("Scale, µm per pixel")
    expect(scale).to_have_value("0.5")
    assert started(page.get_by_role("dialog"))["pixelToMicrometerScale"] is None
    opened(page)
    scale.fill("0.25")
    assert started(page.get_by_role("dialog"))["pixelToMicrometerScale"] == 0.25


def test_the_estimate_tells_the_free_space_and_is_spoken_once_the_choices_rest(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    stop_clock(page)
    dialog = opened(page)
    spoken, shown = dialog.locator("[data-estimate-spoken]"), dialog.locator("[data-estimate]")
    for name in ("Original images", "Overlays", "Documentation"):
        page.clock.run_for(300)
        expect(shown).to_contain_text("free), ready in about")
        dialog.get_by_label(name, exact=True).uncheck()
    expect(spoken).to_be_empty()
    page.clock.run_for(300)
    expect(shown).to_contain_text("3 images, 6 objects, about 9.0 kB (")
    page.clock.run_for(1300)
    expect(spoken).to_contain_text("3 images, 6 objects, about 9.0 kB (")


def test_nothing_moves_when_the_estimate_arrives(project: Project, alice: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), alice)
    held = hold(page, "**/export/estimate")
    with page.expect_request("**/export/estimate"):
        dialog = opened(page)
    boxes = [dialog.get_by_role("button", name="Start export"), dialog.locator(".dialog-body")]
    before = [box.bounding_box() for box in boxes]
    held[0].continue_()
    expect(dialog.locator("[data-estimate]")).to_contain_text("3 images")
    assert [box.bounding_box() for box in boxes] == before


def test_the_next_export_starts_with_the_last_choice_and_the_defaults_are_at_hand(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    lifecycle.request(request_for(project, alice, annotation_formats=["yolo"], metrics_formats=[]))
    dialog = opened(open_page(project.get_absolute_url(), alice))
    expect(dialog.get_by_label("YOLO segmentation")).to_be_checked()
    expect(dialog.get_by_label("COCO")).not_to_be_checked()
    choices = dialog.get_by_label("Choices")
    choices.select_option("Defaults")
    expect(dialog.get_by_label("COCO")).to_be_checked()
    choices.select_option("Last choice")
    expect(dialog.get_by_label("COCO")).not_to_be_checked()


def test_a_click_on_start_waits_for_the_choices_that_are_on_their_way(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    lifecycle.request(request_for(project, alice, annotation_formats=["yolo"]))
    page = open_page(project.get_absolute_url(), alice)
    held = hold(page, "**/export/fields/**")
    dialog = opened(page)
    with page.expect_request("**/export/fields/**"):
        dialog.get_by_label("Choices").select_option("Defaults")
    dialog.get_by_role("button", name="Start export").click()
    held[0].continue_()
    expect(dialog).to_be_hidden()
    assert ExportJob.objects.latest("created_at").options["annotationFormats"] == ["coco", "json"]


def test_of_two_choices_the_last_counts_whichever_arrives_last(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    lifecycle.request(request_for(project, alice, annotation_formats=["yolo"]))
    page = open_page(project.get_absolute_url(), alice)
    held = hold(page, "**/export/fields/?preset=defaults")
    dialog = opened(page)
    with page.expect_request("**/export/fields/?preset=defaults"):
        dialog.get_by_label("Choices").select_option("Defaults")
    with page.expect_response("**/export/fields/?"):
        dialog.get_by_label("Choices").select_option("Last choice")
    with page.expect_response("**/export/fields/?preset=defaults"):
        held[0].continue_()
    assert started(dialog)["annotationFormats"] == ["yolo"]


def test_choices_that_cannot_be_had_start_nothing(project: Project, alice: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), alice)
    held, starts = hold(page, "**/export/fields/**"), hold(page, "**/export")
    dialog = opened(page)
    with page.expect_request("**/export/fields/**"):
        dialog.get_by_label("Choices").select_option("Defaults")
    dialog.get_by_role("button", name="Start export").click()
    held[0].abort()
    expect(dialog.locator("[data-error-summary]")).to_have_text(
        "The server cannot be reached. Try again in a moment."
    )
    assert starts == []
