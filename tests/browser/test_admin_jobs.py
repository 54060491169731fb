"""The administrators' pages of exports, as they are looked at: light, dark, small, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from exports import lifecycle
from exports.models import ExportJob
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import overflow, violations
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/exports/exportjob/"


@pytest.fixture
def root(transactional_db: None) -> User:
    return User.objects.create_superuser("root", password="root")


@pytest.fixture
def waiting(failed: ExportJob) -> ExportJob:
    """Beside one that failed; nobody builds it."""
    return lifecycle.request(request_for(failed.project, failed.user))[0]


def pages(waiting: ExportJob) -> Iterator[str]:
    """With a list, one export's page of each kind, and a question that some exports cannot be asked."""
    ended = ExportJob.objects.exclude(pk=waiting.pk).get()
    yield LIST
    yield f"{LIST}?q=alice&status=failed"
    yield from (f"{LIST}{job.pk}/change/" for job in (waiting, ended))
    yield f"{LIST}act/cancel/?job={waiting.pk}&job={ended.pk}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_about_exports_keeps_an_administrator_out(
    waiting: ExportJob, root: User, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(LIST, root, color_scheme=scheme, reduced_motion="reduce")
    for path in pages(waiting):
        page.goto(path)
        assert violations(page) == [], path
    unexplained(page)
    assert violations(page) == []


def unexplained(page: Page) -> None:
    """Send the question without a reason, as a browser without the check would."""
    page.locator("#id_explanation").evaluate("field => field.removeAttribute('required')")
    page.get_by_role("button", name="Cancel the exports").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_no_page_about_exports_is_wider_than_a_phone(
    waiting: ExportJob, root: User, open_page: OpenPage
) -> None:
    page = open_page(LIST, root, viewport={"width": 320, "height": 700})
    for path in pages(waiting):
        page.goto(path)
        assert overflow(page) == 0, path


def test_an_export_is_cancelled_from_the_list_by_keyboard(
    waiting: ExportJob, root: User, open_page: OpenPage
) -> None:
    page = open_page(f"{LIST}?status=pending", root)
    page.locator("tbody .action-select").press("Space")
    page.get_by_label("Action:").select_option("cancel")
    page.get_by_role("button", name="Go").press("Enter")
    page.get_by_label("Why").fill("The disk is being replaced")
    page.get_by_label("Why").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Done: 1 of 1.")
    assert violations(page) == []
    assert ExportJob.objects.get(pk=waiting.pk).status == "cancelled"
