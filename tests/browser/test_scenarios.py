"""Each scenario of docs/BROWSER.md ends as its line says: requests to `/download`, the page, the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from inspect import isfunction
from types import ModuleType

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, sync_playwright

from exports.models import ExportJob
from projects.models import Project
from tests.browser import journeys, scenarios
from tests.browser.conftest import FLAGS, OpenPage
from tests.browser.front import Front, standing_before
from tests.browser.install import chromium
from tests.browser.stage import Outcome, Stage
from tests.incidents.conftest import Interrupt, interrupt
from tests.processes import ROOT, Running, environment, start_daphne
from tests.waiting import until

__all__ = ["interrupt"]

pytestmark = pytest.mark.django_db(transaction=True)
WITH_CACHE = ["--disable-back-forward-cache"]  # what Playwright says to Chromium unless it is told not to
SECONDS = 10.0


def played(module: ModuleType) -> dict[str, Callable[[Stage], None]]:
    mine = {name: each for name, each in vars(module).items() if isfunction(each)}
    return {
        name: each
        for name, each in mine.items()
        if each.__module__ == module.__name__ and not name.startswith("_")
    }


def lines() -> dict[str, Outcome]:
    """The outcomes that the table promises, by the names of the scenarios."""
    text = (ROOT / "docs/BROWSER.md").read_text()
    table = text.partition("| scenario |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    return {re.sub(r"\W+", "_", name.lower()): Outcome(*promised) for name, *promised in rows}


SCENARIOS = played(scenarios) | played(journeys)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as people have it: Playwright's would never bring a page back from the cache."""
    path = chromium()
    assert path is not None
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright.chromium.launch(
            executable_path=path, args=list(FLAGS), ignore_default_args=WITH_CACHE
        )


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[Running]:
    with start_daphne(0, environment(settings.DATA_DIR)) as running:
        yield running


@pytest.fixture(scope="module")
def front(web: Running) -> Iterator[Front]:
    with standing_before(web.url) as standing:
        yield standing


@pytest.fixture(scope="module")
def site(front: Front) -> str:
    return front.url


@pytest.fixture
def stage(
    project: Project,
    alice: User,
    bob: User,
    web: Running,
    front: Front,
    open_page: OpenPage,
    interrupt: Interrupt,
) -> Stage:
    front.requests.clear()
    front.refuses_sockets = False
    return Stage(project, alice, bob, web, front, open_page, interrupt)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_its_line_says(stage: Stage, name: str) -> None:
    SCENARIOS[name](stage)
    stage.settle()
    promised = lines()[name]
    with suppress(TimeoutError):  # the page hears of its own download a moment later
        until(lambda: stage.outcome() == promised, SECONDS)
    assert stage.outcome() == promised
    assert stage.recorded_downloads() == ExportJob.objects.get().download_count
    assert sum(tab.downloads for tab in stage.tabs) == stage.front.downloads


def test_every_line_has_a_scenario_and_every_scenario_a_line() -> None:
    assert list(lines()) == list(SCENARIOS)
