"""A mail server on a port of its own, so that real SMTP is spoken. It can hold whoever talks to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import cast

PATIENCE = 20.0  # seconds that anybody is held at most


class MailServer(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.letters: list[EmailMessage] = []
        """Whole, whether or not the sender was told so yet."""
        self.refusal = ""
        """What each recipient is answered with, such as `550 unknown`."""
        self.called, self.may_greet = threading.Event(), threading.Event()
        self.received, self.may_accept = threading.Event(), threading.Event()
        self.may_greet.set()
        self.may_accept.set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Dialogue(StreamRequestHandler):
    def handle(self) -> None:
        site = cast(MailServer, self.server)
        site.called.set()
        site.may_greet.wait(PATIENCE)
        self._say("220 ready")
        while line := self.rfile.readline():
            match line[:4].upper():
                case b"DATA":
                    self._take(site)
                case b"RCPT" if site.refusal:
                    self._say(site.refusal)
                case b"QUIT":
                    return self._say("221 bye")
                case _:
                    self._say("250 fine")

    def _take(self, site: MailServer) -> None:
        self._say("354 go on")
        lines = b"".join(iter(self.rfile.readline, b".\r\n"))
        site.letters.append(cast(EmailMessage, message_from_bytes(lines, policy=policy.default)))
        site.received.set()
        site.may_accept.wait(PATIENCE)
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def listening() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.may_greet.set()
            server.may_accept.set()
            server.shutdown()
