"""G17 to G19 in a real browser, with answers and events delayed, forged and lost on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from exports import build, lifecycle
from exports.messages import Advance
from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import OpenPage
from tests.browser.test_stories import start_export

pytestmark = pytest.mark.django_db(transaction=True)


class Wire:
    """The page's sockets, in the hands of the test."""

    def __init__(self, page: Page) -> None:
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/exports/*", self._pass)

    def _pass(self, socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        self.sockets.append(socket)

    def forge(self, name: str, job: ExportJob, version: int, **fields: Any) -> None:
        """An event that the server never sent."""
        event = {"type": f"export:{name}", "version": version, "jobId": str(job.pk), "userId": job.user_id}
        self.sockets[-1].send(json.dumps(event | {"projectId": str(job.project_id), **fields}))

    def cut(self) -> None:
        self.sockets[-1].close(code=1011)


def watched(page: Page) -> list[str]:
    """What the page asks for that could lead to a download, in order."""
    asked: list[str] = []
    page.on("download", lambda _: asked.append("download"))
    page.on(
        "request", lambda request: asked.append(request.url) if request.url.endswith("download") else None
    )
    return asked


def is_live(page: Page, how: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-live", how)


def test_a_late_completion_after_a_cancel_starts_no_download(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    wire, asked = Wire(page), watched(page)
    page.goto(project.get_absolute_url())
    card = page.locator(f"#export-{start_export(page)}")
    card.get_by_role("button", name="Cancel export").click()
    expect(card).to_have_attribute("data-status", "cancelled")
    wire.forge("completed", ExportJob.objects.get(), 99, exportSize=1, downloadUrl="/forged")
    wire.forge("progress", ExportJob.objects.get(), 100, progress=100)
    page.reload()
    expect(card).to_have_attribute("data-status", "cancelled")
    assert asked == []


def test_a_completion_while_the_cancel_is_on_its_way_starts_no_download(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    wire, asked, held = Wire(page), watched(page), []
    page.route("**/cancel", lambda route: held.append(route))
    page.goto(project.get_absolute_url())
    card = page.locator(f"#export-{start_export(page)}")
    with page.expect_request("**/cancel"):
        card.get_by_role("button", name="Cancel export").click()
    wire.forge("completed", ExportJob.objects.get(), 50, exportSize=1)
    expect(card).to_have_attribute("data-status", "completed")
    expect(card).to_contain_text("Cancelling…")
    held[0].continue_()
    expect(card.get_by_text("Cancelling…")).to_have_count(0)
    assert asked == []


def test_a_cancel_after_the_claim_was_asked_for_stops_the_download(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    held: list[Route] = []
    downloads: list[object] = []
    page.on("download", lambda download: downloads.append(download))
    page.route("**/auto-download", lambda route: held.append(route))
    page.goto(project.get_absolute_url())
    card = page.locator(f"#export-{start_export(page)}")
    with page.expect_request("**/auto-download"):
        build.run(ExportJob.objects.get().pk)
        expect(card).to_have_attribute("data-status", "completed")
    card.get_by_role("button", name="Cancel export").click()
    expect(card).to_have_attribute("data-status", "cancelled")
    with page.expect_response("**/auto-download"):
        held[0].fulfill(status=200, json={"downloadUrl": "/forged"})
    expect(card).to_have_attribute("data-status", "cancelled")
    assert downloads == []


def test_two_tabs_and_reloads_download_once(project: Project, alice: User, open_page: OpenPage) -> None:
    first = open_page(project.get_absolute_url(), alice)
    asked = watched(first)
    job_id = start_export(first)
    second = open_page(project.get_absolute_url(), alice, context=first.context)
    asked_second = watched(second)
    copied = first.evaluate("JSON.stringify(sessionStorage)")
    second.evaluate(
        "copied => Object.entries(JSON.parse(copied)).forEach(([k, v]) => sessionStorage.setItem(k, v))",
        copied,
    )
    second.reload()
    for page in (first, second):
        is_live(page, "websocket")
    build.run(job_id)
    for page in (first, second, first, second):
        expect(page.get_by_text("Delete file")).to_be_visible()  # downloaded: no cancel any more
        page.reload(wait_until="networkidle")
    assert (asked + asked_second).count("download") == 1
    assert ExportJob.objects.get().download_count == 1


def test_a_tab_that_did_not_start_the_export_downloads_nothing(
    job: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(job.project.get_absolute_url(), alice)
    asked = watched(page)
    is_live(page, "websocket")
    build.run(job.pk)
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    assert asked == []


def test_an_unticked_box_means_no_automatic_download(
    project: Project, alice: User, open_page: OpenPage
) -> None:
    page = open_page(project.get_absolute_url(), alice)
    asked = watched(page)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_label("Download when ready").uncheck()
    page.get_by_role("button", name="Start export").click()
    expect(page.locator("[data-export-id]")).to_have_attribute("data-status", "pending")
    build.run(ExportJob.objects.get().pk)
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    assert asked == []


def test_a_cut_socket_is_bridged_by_polling_and_comes_back(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    wire = Wire(page)
    page.goto(processing.project.get_absolute_url())
    is_live(page, "websocket")
    wire.cut()
    expect(page.locator("body")).not_to_have_attribute("data-live", "websocket")
    lifecycle.beat(processing.pk, processing.attempt, Advance(61, "images", 1, 3, "Image 1"))
    is_live(page, "websocket")
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 61)
    assert len(wire.sockets) == 2


def test_without_sockets_the_page_keeps_up_by_polling(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page("/", alice)
    page.route_web_socket("**/ws/exports/*", lambda socket: socket.close(code=1006))
    page.goto(processing.project.get_absolute_url())
    is_live(page, "polling")
    lifecycle.cancel(processing.pk, lifecycle.actor(alice))
    expect(page.locator("[data-export-id]")).to_have_attribute("data-status", "cancelled", timeout=5_000)


def test_a_silent_socket_is_given_up(processing: ExportJob, alice: User, open_page: OpenPage) -> None:
    page = open_page("/", alice)
    page.route_web_socket("**/ws/exports/*", lambda _: None)  # opens, and never says a word
    page.goto(processing.project.get_absolute_url())
    is_live(page, "polling")
    lifecycle.cancel(processing.pk, lifecycle.actor(alice))
    expect(page.locator("[data-export-id]")).to_have_attribute("data-status", "cancelled", timeout=5_000)


def test_a_server_that_cannot_be_reached_is_said(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    is_live(page, "websocket")
    page.route("**/exports/current*", lambda route: route.abort())
    page.route_web_socket("**/ws/exports/*", lambda socket: socket.close(code=1006))
    page.reload()
    is_live(page, "offline")
    expect(page.get_by_text("Offline, trying again")).to_be_visible()


def test_an_ended_session_leads_to_the_login_page(
    processing: ExportJob, alice: User, open_page: OpenPage
) -> None:
    page = open_page(processing.project.get_absolute_url(), alice)
    is_live(page, "websocket")
    page.route_web_socket("**/ws/exports/*", lambda socket: socket.close(code=4401))
    page.reload(wait_until="commit")
    page.wait_for_url(f"**/accounts/login/?next=*{processing.project_id}*")
