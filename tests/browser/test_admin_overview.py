"""The overview, RQ's queue and the projects of administrators, as they are looked at: light, dark, small."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from exports.models import ExportJob
from projects.models import Membership, Project
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def overview(completed: ExportJob, open_page: OpenPage) -> Page:
    root = User.objects.create_superuser("root", password="root")
    return open_page(
        "/admin/overview/", root, viewport={"width": 320, "height": 700}, reduced_motion="reduce"
    )


def test_no_page_keeps_an_administrator_out(overview: Page, completed: ExportJob) -> None:
    place = f"/admin/projects/project/{completed.project_id}/change/"
    for scheme in ("light", "dark"):
        overview.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in ("/admin/overview/", "/admin/", "/admin/rq/", place, "/admin/projects/membership/"):
            overview.goto(path)
            assert overflow(overview) == 0, path
            assert violations(overview) == [], (path, scheme)


def test_a_plot_is_named_and_its_numbers_unfold(overview: Page) -> None:
    expect(overview.get_by_role("img", name="Exports a day by outcome")).to_be_visible()
    plot = overview.locator("figure", has_text="Exports a day by outcome")
    plot.get_by_text("The numbers of this plot").press("Enter")
    expect(plot.get_by_role("table")).to_contain_text("Completed (exports)")


def test_a_member_is_removed_by_keyboard(overview: Page, project: Project, bob: User) -> None:
    overview.goto(f"/admin/projects/project/{project.pk}/change/")
    overview.get_by_role("link", name="Remove bob").press("Enter")
    expect(overview.get_by_text("bob no longer sees Nuclei")).to_be_visible()
    overview.get_by_role("button", name="Yes, I’m sure").press("Enter")
    expect(overview.get_by_text("was deleted successfully")).to_be_visible()
    assert not Membership.objects.filter(user=bob).exists()
