"""One tab of a Firefox, driven over WebDriver BiDi: what a person does, by the names that they hear.

    with start_firefox(folder) as tab:
        tab.go_to("http://127.0.0.1:8000/")
        tab.click("button", "Export")

Playwright brings a Firefox of its own, which cannot be had everywhere; the system's speaks only this.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from config import processes
from tests.browser.install import firefox
from tests.waiting import until

FLAGS = ("--headless", "--no-remote", "--remote-debugging-port=0", "--profile")
LISTENING = re.compile(r"BiDi listening on (ws://\S+)\n")
PORT_OF_NOBODY = 9
SECONDS, SECONDS_OF_STOP = 60.0, 5.0

Node = dict[str, Any]


class Refused(Exception):
    """Firefox could not do what it was told."""


class Tab:
    def __init__(self, socket: ClientConnection, downloads: Path) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.downloads = downloads
        self.command("session.new", capabilities={})
        self._context = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=SECONDS))).get("id") != number:
            pass
        if answer["type"] == "error":
            raise Refused(f"{method}: {answer['message']}")
        return answer["result"]

    def go_to(self, url: str) -> None:
        self.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression that is a string, a number, a truth or null."""
        target = {"context": self._context}
        answer = self.command("script.evaluate", expression=expression, target=target, awaitPromise=True)
        return answer["result"].get("value")

    def find(self, locator: dict[str, Any]) -> list[Node]:
        nodes: list[Node] = self.command(
            "browsingContext.locateNodes", context=self._context, locator=locator
        )["nodes"]
        return nodes

    def count(self, role: str, name: str) -> int:
        """How many such elements a screen reader would meet."""
        return len(self.find(_spoken(role, name)))

    def click(self, role: str, name: str) -> None:
        self._click(_spoken(role, name))

    def fill(self, selector: str, text: str) -> None:
        """Type into the field, key by key."""
        self._click({"type": "css", "value": selector})
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": keys})

    def shows(self, status: str, seconds: float = SECONDS) -> None:
        """Wait until the first export on the page has this status."""
        words = "document.querySelector('[data-export-id]')?.dataset.status"
        until(lambda: self.evaluate(words) == status, seconds)

    def _click(self, locator: dict[str, Any]) -> None:
        until(lambda: self._is_clicked(locator))

    def _is_clicked(self, locator: dict[str, Any]) -> bool:
        """Not when it is not there, or was replaced while the mouse was on its way."""
        try:
            element = {"sharedId": self.find(locator)[0]["sharedId"]}
            self._bring_into_view(element)
            there = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
            press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
            self._act({"type": "pointer", "id": "mouse", "actions": [there, *press]})
        except (IndexError, Refused):
            return False
        return True

    def _bring_into_view(self, element: dict[str, str]) -> None:
        self.command(
            "script.callFunction",
            functionDeclaration="(element) => element.scrollIntoView({block: 'center', behavior: 'instant'})",
            arguments=[element],
            target={"context": self._context},
            awaitPromise=False,
        )

    def _act(self, source: dict[str, Any]) -> None:
        self.command("input.performActions", context=self._context, actions=[source])


@contextmanager
def start_firefox(folder: Path) -> Iterator[Tab]:
    """With a new profile and its downloads in `folder`; it reaches this machine and nothing else."""
    path, profile, downloads = firefox(), folder / "profile", folder / "downloads"
    assert path is not None
    for made in (profile, downloads):
        made.mkdir()
    (profile / "user.js").write_text(_preferences(downloads))
    output = folder / "firefox.log"
    home = os.environ | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    browser = processes.start((path, *FLAGS, profile), output=output, environment=home, folder=folder)
    try:
        until(lambda: LISTENING.search(output.read_text()), SECONDS)
        [url] = LISTENING.findall(output.read_text())
        with connect(f"{url}/session", max_size=None) as socket:
            yield Tab(socket, downloads)
    finally:
        processes.stop(browser, signal.SIGTERM, SECONDS_OF_STOP)


def _preferences(downloads: Path) -> str:
    """Every address but this machine's lies behind a proxy that does not exist."""
    chosen = {
        "network.proxy.type": 1,
        **{f"network.proxy.{kind}": "127.0.0.1" for kind in ("http", "ssl", "socks")},
        **{f"network.proxy.{kind}_port": PORT_OF_NOBODY for kind in ("http", "ssl", "socks")},
        "network.proxy.socks_remote_dns": True,
        "network.proxy.failover_direct": False,
        "network.dns.disablePrefetch": True,
        "network.trr.mode": 5,
        "browser.download.folderList": 2,
        "browser.download.dir": str(downloads),
        "browser.download.useDownloadDir": True,
        "browser.download.alwaysOpenPanel": False,
        "signon.rememberSignons": False,
    }
    return "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items())


def _spoken(role: str, name: str) -> dict[str, Any]:
    return {"type": "accessibility", "value": {"role": role, "name": name}}
