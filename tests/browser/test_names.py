"""Names that are markup, formulas or orders to a template: shown as they were typed, on every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from exports import keys, lifecycle, presets
from exports.models import ExportJob
from exports.states import CancelReason
from projects.models import Membership, Project, Role
from projects.outlines import OutlinedObject
from tests.browser.conftest import OpenPage
from tests.conftest import add_image
from tests.jobs import request_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
EVIL = '"\'></script></textarea><img src=x onerror="window.ran=1">{{7*7}}'
CODE = "javascript:window.ran=1//"
SQUARE = [(10.0, 10.0), (30.0, 10.0), (30.0, 30.0)]


@pytest.fixture
def evil(transactional_db: None) -> User:
    """An administrator who owns a project; whatever has a name has this one."""
    return User.objects.create(
        username=EVIL, first_name=EVIL, last_name=CODE, email=f'"{CODE}"@x.org', is_staff=True, is_superuser=True
    )  # fmt: skip


@pytest.fixture
def named(evil: User) -> Project:
    project = Project.objects.create(name=EVIL, description=EVIL + CODE, owner=evil)
    Membership.objects.create(project=project, user=User.objects.create(username=CODE), role=Role.VIEWER)
    add_image(project, f"{EVIL}.png", [OutlinedObject(parts=[[SQUARE]], class_name=EVIL)])
    add_image(project, CODE, [OutlinedObject(parts=[[SQUARE]], class_name=CODE)])
    presets.create(evil, project, presets.Wanted(EVIL, is_shared=True, options={}))
    keys.create(evil, keys.Wanted(EVIL, "read", None))
    ended = lifecycle.request(request_for(project, evil))[0]
    lifecycle.cancel(ended.pk, lifecycle.actor(evil), CancelReason.SYSTEM, explanation=EVIL)
    lifecycle.request(request_for(project, evil))
    return project


def pages(project: Project) -> Iterator[str]:
    yield from ("/", "/exports/", "/exports/settings/", "/accounts/keys/", project.get_absolute_url())
    yield from (f"/projects/{project.pk}/export/", f"/exports/?project={project.pk}")
    yield from (image.get_absolute_url() for image in project.images.all())
    yield from ("/admin/", "/admin/overview/", f"/admin/exports/exportjob/?q={EVIL[:9]}")
    for model in ("exports/exportjob", "exports/apitoken", "projects/project", "projects/membership"):
        yield f"/admin/{model}/"
    yield from ("/admin/projects/image/", "/admin/auth/user/", f"/admin/auth/user/{project.owner_id}/change/")
    yield f"/admin/projects/project/{project.pk}/change/"
    yield from (f"/admin/exports/exportjob/{job.pk}/change/" for job in ExportJob.objects.all())


def has_run(page: Page) -> bool:
    """Whether a name became more than text: the picture that it would be asks for `x` before it runs."""
    return bool(page.evaluate("window.ran || document.querySelector('img[src=x], a[href^=javascript]')"))


def test_no_name_is_taken_for_markup(named: Project, evil: User, open_page: OpenPage) -> None:
    page = open_page("/", evil, bypass_csp=True)
    showing = 0
    for address in pages(named):
        page.goto(address)
        assert not has_run(page), address
        showing += EVIL[:20] in page.inner_text("body")
    assert showing >= 15


def test_nor_where_a_script_shows_it(named: Project, evil: User, open_page: OpenPage) -> None:
    page = open_page(named.get_absolute_url(), evil, bypass_csp=True)
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Only selected images").click()
    dialog.get_by_label("Search images by name").fill("onerror")
    dialog.get_by_text(f"{EVIL}.png").wait_for()
    dialog.get_by_role("button", name="Select all found").click()
    assert not has_run(page)
