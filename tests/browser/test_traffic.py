"""What the page asks for, and how often it draws: as little as it can, counted in a real browser.

Time is the test's: `pass_time` lets the page's clock run, and waits for what the server has to answer meanwhile.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Request, WebSocket, expect

from exports import lifecycle
from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_promises import Wire, is_live
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)

VERSIONS = itertools.count(100)
LOOK = "/api/exports/current"
# Frames come when the test says so.
HOLD_FRAMES = """() => {
    window.frames = [];
    window.requestAnimationFrame = (draw) => window.frames.push(draw);
}"""
DRAW = "() => { const frames = window.frames.splice(0); frames.forEach((draw) => draw(0)); return frames.length; }"
COUNT_NEWS = """() => {
    window.news = 0;
    window.listener?.close();
    window.listener = new BroadcastChannel("exports");
    window.listener.onmessage = () => (window.news += 1);
}"""
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def live(page: Page, project: Project) -> Wire:
    """The sockets of the project's page, which is open and hears of what happens."""
    wire = Wire(page)
    page.goto(project.get_absolute_url())
    is_live(page, "websocket")
    return wire


class Traffic:
    """What a page asks of the server once it is there."""

    def __init__(self, page: Page, path: str, with_sockets: bool) -> None:
        self.page = page
        self.paths: list[str] = []
        self._under_way: set[Request] = set()
        self._pings = self._pongs = 0
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)
        page.on("websocket", self._opened)
        page.clock.install()
        page.goto(path)
        is_live(page, "websocket" if with_sockets else "polling")
        self.settle()
        self.paths.clear()

    def pass_time(self, seconds: int) -> None:
        """The server answers in its own time, which the page's clock must not outrun."""
        for _ in range(seconds):
            self.page.clock.run_for(1000)
            self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(5)
        while self._under_way or self._pongs < self._pings:
            self.page.wait_for_timeout(5)

    def _asked(self, request: Request) -> None:
        if request.resource_type == "fetch":
            self.paths.append(urlsplit(request.url).path)
            self._under_way.add(request)

    def _answered(self, request: Request) -> None:
        self._under_way.discard(request)

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: Any) -> None:
        self._pings += "ping" in str(frame)

    def _received(self, frame: Any) -> None:
        self._pongs += "pong" in str(frame)


def block_sockets(page: Page) -> None:
    page.route_web_socket("**/ws/exports/*", lambda socket: socket.close(code=1006))


def forge_all(page: Page, wire: Wire, job: ExportJob, name: str, count: int) -> None:
    """Events that are all dealt with before this returns."""
    page.evaluate(COUNT_NEWS)
    for number in range(count):
        wire.forge(name, job, next(VERSIONS), progress=number / 2, stage="images", downloadCount=0)
    page.wait_for_function(f"() => window.news === {count}")


def test_an_idle_page_asks_nothing(completed: ExportJob, alice: User, open_page: OpenPage) -> None:
    traffic = Traffic(open_page("/", alice), completed.project.get_absolute_url(), with_sockets=True)
    traffic.pass_time(60)
    assert traffic.paths == []
    is_live(traffic.page, "websocket")


def test_an_idle_page_without_sockets_asks_nothing(
    completed: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    block_sockets(page)
    traffic = Traffic(page, completed.project.get_absolute_url(), with_sockets=False)
    traffic.pass_time(60)
    assert traffic.paths == []


def test_an_export_that_is_silent_is_asked_for_every_five_seconds(
    job: ExportJob, alice: User, open_page: OpenPage
) -> None:
    traffic = Traffic(open_page("/", alice), job.project.get_absolute_url(), with_sockets=True)
    traffic.pass_time(26)
    assert Counter(traffic.paths) in [{LOOK: 4}, {LOOK: 5}]


def test_a_hidden_page_asks_nothing_and_looks_at_once_when_shown(
    job: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    block_sockets(page)
    traffic = Traffic(page, job.project.get_absolute_url(), with_sockets=False)
    page.evaluate(HIDE, True)
    traffic.settle()
    traffic.paths.clear()
    traffic.pass_time(60)
    assert traffic.paths == []
    with page.expect_response(f"**{LOOK}*"):
        page.evaluate(HIDE, False)
    assert traffic.paths == [LOOK]


def test_many_exports_without_a_socket_are_one_request_every_two_seconds(
    project: Project, alice: User, bell: list[Any], open_page: OpenPage, settings: Any
) -> None:
    settings.EXPORT_MAX_ACTIVE_PER_USER = 20
    for number in range(20):
        lifecycle.request(request_for(project, alice, pixel_to_micrometer_scale=1 + number))
    page = open_page("/", alice)
    block_sockets(page)
    traffic = Traffic(page, project.get_absolute_url(), with_sockets=False)
    traffic.pass_time(20)
    assert set(traffic.paths) == {LOOK}
    assert 8 <= len(traffic.paths) <= 11


def test_two_hundred_events_are_no_request_and_one_drawing(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    wire, traffic = live(page, processing.project), []
    page.evaluate(HOLD_FRAMES)
    page.on("request", lambda request: traffic.append(request.url))
    forge_all(page, wire, processing, "progress", 200)
    drawn = page.get_by_role("progressbar").evaluate("bar => bar.value")
    assert (drawn, page.evaluate(DRAW)) == (0, 1)
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 99)
    assert (page.evaluate(DRAW), traffic) == (0, [])


def test_fifty_completions_are_one_request_for_a_card(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    wire, traffic = live(page, processing.project), []
    page.on("request", lambda request: traffic.append(urlsplit(request.url).path))
    with page.expect_response("**/card/"):
        forge_all(page, wire, processing, "completed", 50)
    forge_all(page, wire, processing, "completed", 1)
    assert traffic == [f"/exports/{processing.pk}/card/"]


def test_an_export_that_its_start_and_an_event_tell_of_is_one_request_for_a_card(
    project: Project, alice: User, bell: list[Any], open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    held: list[Any] = []
    page.route("**/card/", lambda route: held.append(route))
    wire = live(page, project)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_request("**/card/"):
        page.get_by_role("button", name="Start export").click()
    forge_all(page, wire, ExportJob.objects.get(), "queued", 3)
    for route in held:
        route.continue_()
    expect(page.locator("[data-export-id]")).to_have_count(1)
    assert len(held) == 1
