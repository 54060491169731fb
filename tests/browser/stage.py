"""Where the scenarios of docs/BROWSER.md are played: people's tabs, a worker in the test's hands, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Page, WebSocketRoute, expect

from config.embedded.valkey import Valkey
from exports import build, lifecycle
from exports.exceptions import IllegalMove, LostClaim
from exports.models import ExportJob
from projects.models import Project
from tests.browser.conftest import PATIENCE, OpenPage
from tests.browser.front import Front
from tests.browser.test_promises import Wire
from tests.incidents.conftest import Interrupt
from tests.incidents.tabs import REMEMBER, Tab
from tests.processes import Running, environment, start_daphne, start_valkey, start_worker
from tests.waiting import until

CONTROLS = {"Cancel export": "button", "Download": "link", "Try again": "button"}
NEXT_FRAME = "() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))"
TIMES = {0: "not downloaded", 1: "downloaded once"}
Act = Callable[[], object]


class Outcome(NamedTuple):
    downloads: str
    """Requests to `/download`, as the proxy before the site counted them."""
    page: str
    row: str


class Frames(Wire):
    """Sockets whose frames the test can keep: it delivers them when, if and in the order that it likes."""

    def __init__(self, page: Page) -> None:
        self.kept: list[str] = []
        self.is_keeping = False
        super().__init__(page)

    def _pass(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: self._take(socket, str(frame)))
        self.sockets.append(socket)

    def _take(self, socket: WebSocketRoute, frame: str) -> None:
        if self.is_keeping:
            self.kept.append(frame)
        else:
            socket.send(frame)

    def has(self, kind: str) -> bool:
        return any(f'"export:{kind}"' in frame for frame in self.kept)

    def deliver(self, *frames: str) -> None:
        for frame in frames:
            self.sockets[-1].send(frame)


class ObservedTab(Tab):
    """A tab that also says what a person finds on the card of the export."""

    wire: Frames

    def __init__(self, page: Page, project: Project, user: User) -> None:
        super().__init__(page, project, Frames)
        self.user = user
        self.is_live()

    def reload(self) -> None:
        self.page.reload()
        self.is_live()

    def is_live(self, how: str = "websocket|polling") -> None:
        """Wait until the page says that it is kept current, and in that way."""
        expect(self.page.locator("body")).to_have_attribute("data-live", re.compile(how))

    def cancel_and_wait(self) -> None:
        """Click, and see what is answered."""
        self.cancel()
        self.shows("cancelled")

    def wait_for(self, condition: Callable[[], object]) -> None:
        self._wait_for(lambda: bool(condition()))

    def keep_frames(self, act: Act, until_kept: str) -> list[str]:
        """What the server said while `act` ran, up to an event of that kind; the page has heard none of it."""
        self.is_live("websocket")
        self.wire.is_keeping = True
        act()
        self.wait_for(lambda: self.wire.has(until_kept))
        self.wire.is_keeping = False
        return self.wire.kept

    def keeps_showing(self, status: str, act: Act) -> None:
        """Nothing else is drawn while `act` runs and once the page has dealt with it."""
        self.page.evaluate(REMEMBER)
        act()
        self.settle()
        self.page.evaluate(NEXT_FRAME)
        assert {shown.partition(":")[0] for shown in self.page.evaluate("window.shown")} == {status}

    def shown(self) -> str:
        found = [
            name
            for name, role in CONTROLS.items()
            if self.card.get_by_role(role, name=name).count()  # type: ignore[arg-type]
        ]
        return ": ".join(filter(None, [self.card.get_attribute("data-status"), ", ".join(found)]))


@dataclass
class Stage:
    project: Project
    owner: User
    colleague: User
    web: Running
    front: Front
    open_page: OpenPage
    interrupt: Interrupt
    tabs: list[ObservedTab] = field(default_factory=list)

    def tab(self, user: User | None = None, beside: ObservedTab | None = None) -> ObservedTab:
        """Of the owner unless it says whose, in a browser of its own unless it is beside another tab."""
        user = user or (beside.user if beside else self.owner)
        page = self.open_page("/healthz", user, context=beside.page.context if beside else None)
        self.tabs.append(ObservedTab(page, self.project, user))
        return self.tabs[-1]

    def started(self) -> tuple[ObservedTab, ExportJob]:
        """The owner's tab, and the export that was started there."""
        tab = self.tab()
        return tab, tab.start()

    def build(
        self, job: ExportJob, *, while_processing: Act | None = None, before_completion: Act | None = None
    ) -> None:
        """Do a worker's work in this process, and have things happen at these moments of it."""
        if while_processing:
            self.interrupt(build.assembly, "write", while_processing)
        if before_completion:
            self.interrupt(lifecycle, "complete", before_completion)
        with suppress(IllegalMove, LostClaim):
            build.run(job.pk)

    @contextmanager
    def own_servers(self) -> Iterator[tuple[Valkey, Running]]:
        """A Redis to kill, and a worker and a web server that know no other one."""
        with ExitStack() as rooms:
            folder = Path(rooms.enter_context(TemporaryDirectory(prefix="redis-")))
            valkey = rooms.enter_context(start_valkey(folder))
            own = environment(settings.DATA_DIR, REDIS_URL=f"unix://{folder}/redis.sock?db=0")
            worker = rooms.enter_context(start_worker(own))
            web = rooms.enter_context(start_daphne(0, own))
            rooms.callback(self.front.lead_to, self.web.url)
            self.front.lead_to(web.url)
            yield valkey, worker

    def close(self, tab: ObservedTab) -> None:
        tab.page.close()
        self.tabs.remove(tab)

    def settle(self) -> None:
        """Until whatever the tabs have been told is dealt with, and whatever they asked for is answered."""
        for tab in self.tabs:
            tab.settle()
        with suppress(TimeoutError):
            until(lambda: self.front.downloads == sum(tab.downloads for tab in self.tabs), PATIENCE / 1000)

    def recorded_downloads(self) -> int:
        """In the audit of the only export."""
        return ExportJob.objects.get().transitions.filter(reason="downloaded").count()

    def outcome(self) -> Outcome:
        job = ExportJob.objects.get()
        seen = sorted({tab.shown() for tab in self.tabs})
        row = f"{job.status}, {TIMES[job.download_count]}"
        return Outcome(str(self.front.downloads), " / ".join(seen), row)
