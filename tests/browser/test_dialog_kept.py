"""The dialog's presets, what is remembered of somebody, and a start that happens once."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from exports import build, lifecycle
from exports.models import ExportJob, Preferences, Preset
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import overflow, violations
from tests.browser.test_dialog import hold, opened, picking, started, stop_clock
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)


def save_preset(page: Page, name: str, for_whom: str) -> None:
    page.get_by_role("button", name="Save as preset…").click()
    editor = page.get_by_role("dialog", name="Save as preset")
    editor.get_by_label("Name").fill(name)
    editor.get_by_label(for_whom).check()
    editor.get_by_role("button", name="Save preset").click()
    expect(editor).to_be_hidden()


def test_a_preset_fills_the_form_and_the_focus_stays_on_the_select(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = opened(page)
    dialog.get_by_label("YOLO segmentation").check()
    save_preset(page, "For training", "For me, in all projects")
    choices = dialog.get_by_label("Choices")
    expect(choices.locator("option:checked")).to_have_text("For training")
    choices.focus()
    choices.select_option("Defaults")
    expect(dialog.get_by_label("YOLO segmentation")).not_to_be_checked()
    choices.select_option("For training")
    expect(dialog.get_by_label("YOLO segmentation")).to_be_checked()
    expect(choices).to_be_focused()


def test_presets_that_arrive_late_leave_what_is_chosen(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    Preset.objects.create(user=alice, name="Kept", options={})
    page = open_page(project.get_absolute_url(), alice)
    held = hold(page, "**/export/presets")
    with page.expect_request("**/export/presets"):
        choices = opened(page).get_by_label("Choices")
    choices.select_option("Defaults")
    held[0].continue_()
    expect(choices.get_by_role("option", name="Kept")).to_be_attached()
    expect(choices).to_have_value("defaults")


def test_a_preset_of_the_project_is_offered_to_the_others_who_may_not_change_it(
    project: Project, alice: User, bob: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    opened(page)
    save_preset(page, "Ours", "For everybody who may export this project")
    other = opened(open_page(project.get_absolute_url(), bob))
    other.get_by_label("Choices").select_option("Ours")
    expect(other.get_by_role("button", name="Change preset…")).to_be_disabled()
    assert Preset.objects.get().project == project


def test_a_preset_is_renamed_and_deleted_after_a_question(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog, questions = opened(page), list[str]()
    save_preset(page, "Old", "For me, in all projects")
    dialog.get_by_role("button", name="Change preset…").click()
    page.get_by_label("Name", exact=True).fill("New")
    page.get_by_role("button", name="Save preset").click()
    expect(dialog.get_by_label("Choices").locator("option:checked")).to_have_text("New")
    page.on("dialog", lambda each: (questions.append(each.message), each.accept()))
    dialog.get_by_role("button", name="Change preset…").click()
    page.get_by_role("button", name="Delete preset").click()
    expect(page.locator("#preset-choice")).to_be_focused()
    assert questions == ["Delete the preset “New”?"]
    assert not Preset.objects.exists()


def test_a_preset_is_replaced_by_its_name_after_a_question(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = opened(page)
    save_preset(page, "Mine", "For me, in all projects")
    dialog.get_by_label("CVAT").check()
    page.on("dialog", lambda question: question.accept())
    save_preset(page, "mine", "For me, in all projects")
    assert "cvat" in Preset.objects.get().options["annotationFormats"]


def test_a_name_that_somebody_took_meanwhile_is_said_at_its_field(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    opened(page)
    page.get_by_role("button", name="Save as preset…").click()
    editor = page.get_by_role("dialog", name="Save as preset")
    Preset.objects.create(user=alice, name="Taken", options={})
    editor.get_by_label("Name").fill("Taken")
    editor.get_by_role("button", name="Save preset").click()
    expect(editor.get_by_label("Name")).to_be_focused()
    expect(editor.get_by_label("Name")).to_have_accessible_description(
        editor.locator("#preset-name-error").inner_text()
    )
    expect(editor.locator("#preset-name-error")).to_contain_text("name")


def test_same_again_opens_the_dialog_with_that_exports_choices_and_images(
    completed: ExportJob, alice: User, open_page: OpenPage
) -> None:
    chosen = [str(completed.project.images.get(name="b.png").pk)]
    earlier, _ = lifecycle.request(
        request_for(completed.project, alice, annotation_formats=["cvat"], selected_image_ids=chosen)
    )
    lifecycle.cancel(earlier.pk, lifecycle.actor(alice))
    page = open_page(completed.project.get_absolute_url(), alice)
    page.locator(f"#export-{earlier.pk}").get_by_role("link", name="Same again").click()
    dialog = page.get_by_role("dialog", name="Export project")
    expect(dialog.locator("[data-picked]")).to_have_text("1 of 3 images selected")
    expect(dialog.get_by_label("CVAT")).to_be_checked()
    options = started(dialog)
    assert (options["annotationFormats"], options["selectedImageIds"]) == (["cvat"], chosen)


def test_same_again_with_a_modifier_or_elsewhere_leads_to_the_page(
    completed: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(completed.project.get_absolute_url(), alice)
    with page.context.expect_page() as waiting:
        page.get_by_role("link", name="Same again").click(modifiers=["Control"])
    expect(waiting.value.get_by_role("heading", name="Export project")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/exports/")
    page.get_by_role("link", name="Same again").click()
    page.wait_for_url(f"**/export/?like={completed.pk}")


def test_whether_to_download_and_to_mail_is_remembered_on_the_server(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    page = open_page(project.get_absolute_url(), alice)
    dialog = opened(page)
    for name, change in (("Download when ready", "uncheck"), ("E-mail me when it ends", "check")):
        with page.expect_response("**/api/preferences"):
            getattr(dialog.get_by_label(name), change)()
    page.reload()
    expect(opened(page).get_by_label("Download when ready")).not_to_be_checked()
    expect(dialog.get_by_label("E-mail me when it ends")).to_be_checked()
    assert Preferences.of(alice).mail_since is not None


def test_without_an_address_nobody_is_mailed_and_it_says_so(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    mail = opened(open_page(project.get_absolute_url(), alice)).get_by_label("E-mail me when it ends")
    expect(mail).to_be_disabled()
    expect(mail).to_have_accessible_description(
        "Your account has no e-mail address. Ask who runs this hub to add it."
    )


def test_two_clicks_on_start_send_one_request(project: Project, alice: User, open_page: OpenPage) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = opened(page)
    held = hold(page, "**/export")
    start = dialog.get_by_role("button", name="Start export")
    with page.expect_request("**/export"):
        start.click()
    expect(start).to_have_attribute("aria-disabled", "true")
    start.click(force=True)
    held[0].continue_()
    expect(dialog).to_be_hidden()
    assert (len(held), ExportJob.objects.count()) == (1, 1)


def test_a_start_whose_answer_was_lost_is_the_same_job_when_it_is_tried_again(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    dialog = opened(page)

    def lose(route: Route) -> None:
        route.fetch()
        build.run(ExportJob.objects.get().pk)
        route.abort()

    page.route("**/export", lose, times=1)
    dialog.get_by_role("button", name="Start export").click()
    expect(dialog.locator("[data-error-summary]")).to_be_focused()
    dialog.get_by_role("button", name="Start export").click()
    expect(dialog).to_be_hidden()
    assert ExportJob.objects.count() == 1


def test_too_many_exports_are_refused_in_words_with_the_focus_on_them(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    for width in (3, 4, 5):
        lifecycle.request(request_for(project, alice, visualization_options={"stroke_width": width}))
    page = open_page(project.get_absolute_url(), alice)
    stop_clock(page)
    dialog, estimates = opened(page), hold(page, "**/export/estimate")
    dialog.get_by_label("Choices").select_option("Defaults")
    dialog.get_by_role("button", name="Start export").click()
    summary = dialog.locator("[data-error-summary]")
    expect(summary).to_contain_text("as many exports running as you may")
    page.clock.run_for(1000)
    page.evaluate("fetch('/healthz')")
    assert estimates == []  # its answer would take the sentence away
    expect(summary).to_be_focused()


def test_the_keyboard_alone_selects_an_image_and_starts(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    page.get_by_role("button", name="Export", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Export project")
    dialog.get_by_label("All images (3)").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("b.png")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Select all 1 found")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(dialog.locator("[data-picked]")).to_have_text("1 of 3 images selected")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_with_everything_open_keeps_nobody_out_on_the_narrowest_screen(
    project: Project, alice: User, open_page: OpenPage, scheme: str
) -> None:
    narrow = {"width": 320, "height": 640}
    page = open_page(project.get_absolute_url(), alice, color_scheme=scheme, viewport=narrow)
    dialog = picking(page)
    dialog.get_by_text("Style of the overlays").click()
    dialog.get_by_role("button", name="Start export").click()
    expect(dialog.locator("[data-error-summary]")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0
    assert dialog.locator(".dialog-body").evaluate("each => each.scrollWidth <= each.clientWidth")
    dialog.get_by_role("button", name="Save as preset…").click()
    assert violations(page) == []
