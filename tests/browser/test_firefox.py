"""A smoke flow in Firefox: the site, its worker and a browser of another make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.browser.firefox import Tab, start_firefox
from tests.browser.install import firefox
from tests.waiting import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not firefox(), reason="There is no Firefox: install the package firefox-esr."),
]


@pytest.fixture
def tab(tmp_path: Path, site: str, big_project: Project, alice: User, settings: Any) -> Iterator[Tab]:
    """Alice's, who has logged in and is led to the page of her project."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    alice.set_password("secret of alice")
    alice.save(update_fields=["password"])
    with start_firefox(tmp_path) as opened:
        opened.go_to(f"{site}/accounts/login/?next={big_project.get_absolute_url()}")
        opened.fill("input[name=username]", "alice")
        opened.fill("input[name=password]", "secret of alice")
        opened.click("button", "Log in")
        yield opened


def test_an_export_is_watched_and_downloads_itself_once(tab: Tab, worker: None) -> None:
    tab.click("button", "Export")
    tab.click("button", "Start export")
    tab.shows("processing")
    until(lambda: tab.evaluate("document.body.dataset.live") == "websocket", 10)
    tab.shows("completed")
    job = ExportJob.objects.get()
    until(lambda: digests_of(job, tab.downloads) == [job.sha256])
    tab.click("link", "Download")
    until(lambda: digests_of(job, tab.downloads) == 2 * [job.sha256])
    assert ExportJob.objects.get().download_count == 2


def test_a_cancelled_export_says_so_and_downloads_nothing(tab: Tab, worker: None) -> None:
    tab.click("button", "Export")
    tab.click("button", "Start export")
    tab.shows("processing")
    tab.click("button", "Cancel export")
    tab.shows("cancelled")
    assert tab.count("link", "Download") == 0
    assert ExportJob.objects.get().status == Status.CANCELLED
    assert list(tab.downloads.iterdir()) == []


def digests_of(job: ExportJob, folder: Path) -> list[str]:
    """Of its files; while one is under way it has another name too."""
    found = folder.glob(f"{Path(job.download_name).stem}*.zip")
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in found]
