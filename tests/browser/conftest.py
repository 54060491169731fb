"""The real site, a real worker and a real browser, on the test database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from projects.models import Project
from tests.browser.install import chromium_shell
from tests.conftest import add_image
from tests.processes import environment, start_daphne, start_worker

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 15_000  # milliseconds for anything that the page is expected to show
expect.set_options(timeout=PATIENCE)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the session: its event loop would be in the way of asynchronous tests."""
    path = chromium_shell()
    if path is None:
        pytest.fail("There is no Chromium: run `python -m tests.browser.install`.")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and Django would refuse to work beside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright.chromium.launch(executable_path=path, args=list(FLAGS))


@pytest.fixture(scope="session")
def site(django_db_setup: None) -> Iterator[str]:
    """The address of the web server; files lie where the test process has its own."""
    with start_daphne(0, environment(settings.DATA_DIR)) as web:
        yield web.url


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    with start_worker(environment(settings.DATA_DIR)):
        yield


@pytest.fixture
def big_project(project: Project) -> Project:
    """An export of it takes long enough to be watched and cancelled."""
    for number in range(400):
        add_image(project, f"more-{number:03}.png", None)
    return project


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[OpenPage]:
    """Opens a page of the site for somebody who is logged in, in a browser of their own unless given one."""
    contexts: list[BrowserContext] = []

    def opened(path: str, user: User, context: BrowserContext | None = None, **options: Any) -> Page:
        if context is None:
            context = browser.new_context(base_url=site, **options)
            context.set_default_timeout(PATIENCE)
            context.add_cookies([{"name": "sessionid", "value": _session_of(user), "url": site}])
            contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def _session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value
