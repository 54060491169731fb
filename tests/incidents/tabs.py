"""A browser's tab as the incident reports have it: what it shows, what it hears, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from playwright.sync_api import Locator, Page, Request, Route, expect

from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import PATIENCE
from tests.browser.test_promises import Wire
from tests.browser.test_stories import start_export

# Every text and status that the first card shows from now on.
REMEMBER = """() => {
    window.shown = [];
    const note = () => {
        const card = document.querySelector("[data-export-id]");
        window.shown.push(`${card.dataset.status}: ${card.innerText}`);
    };
    new MutationObserver(note).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    note();
}"""
NOTE_DOWNLOADS = """document.addEventListener("click", ({target}) => {
    if (target.closest("a[download]")) window.noteDownload(target.href);
}, true)"""
RERENDER = """() => {
    const panel = document.querySelector("export-panel"), place = panel.parentElement;
    for (let i = 0; i < 20; i += 1) { panel.remove(); place.append(panel); }
}"""


class Tab:
    """A page of the project, its sockets, and what it asked of the server about downloads and cancels."""

    def __init__(self, page: Page, project: Project, wired: Callable[[Page], Wire] = Wire) -> None:
        self.page, self.wire = page, wired(page)
        self.asked: list[str] = []
        """The last part of each address, in order; a click on a link that downloads is no request to Playwright."""
        self._unanswered: set[Request] = set()
        self._held: dict[str, list[Route]] = {}
        page.on("request", self._note)
        page.on("requestfinished", self._forget)
        page.on("requestfailed", self._forget)
        page.expose_function("noteDownload", lambda _: self.asked.append("download"))
        page.add_init_script(NOTE_DOWNLOADS)
        page.goto(project.get_absolute_url())

    def _note(self, request: Request) -> None:
        self.asked.append(request.url.rsplit("/", 1)[1])
        self._unanswered.add(request)

    def _forget(self, request: Request) -> None:
        self._unanswered.discard(request)

    @property
    def card(self) -> Locator:
        return self.page.locator("[data-export-id]").first

    def start(self) -> ExportJob:
        return ExportJob.objects.get(pk=start_export(self.page))

    def cancel(self) -> None:
        self.card.get_by_role("button", name="Cancel export").click()

    def shows(self, status: str) -> None:
        expect(self.card).to_have_attribute("data-status", status)

    def hold(self, action: str) -> None:
        """Let requests for `action` wait for the test."""
        self.page.route(f"**/{action}", lambda route: self._held.setdefault(action, []).append(route))

    def held(self, action: str) -> Route:
        """The first of them, as soon as the page has sent it."""
        self._wait_for(lambda: action in self._held)
        return self._held[action][0]

    def repeat_completed(self, job: ExportJob, times: int = 50) -> None:
        for number in range(times):
            self.wire.forge("completed", job, 50 + number, exportSize=1, downloadUrl="/forged")

    def settle(self) -> None:
        """Wait until all that was sent to the page so far is dealt with, and what that led to is answered."""
        self.page.evaluate("() => fetch('/healthz')")
        self._wait_for(lambda: not any(map(_changes_the_page, self._unanswered)))
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = monotonic() + PATIENCE / 1000
        while not condition():
            assert monotonic() < deadline
            self.page.wait_for_timeout(20)

    @property
    def downloads(self) -> int:
        return self.asked.count("download")


def _changes_the_page(request: Request) -> bool:
    return request.url.endswith(("/status", "/card/", "/auto-download")) or "/exports/current" in request.url
