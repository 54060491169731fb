"""What the web server takes in: how much, from how many, and how long it waits for it.

daphne keeps a body of any size on disk before the application sees it, and waits as long as a byte comes now and then.
"""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.web.http import HTTPChannel

LINGER_SECONDS = 5.0
"""A connection that is closed while its client still sends would take the answer with it."""


class Request(WebRequest):  # type: ignore[misc]  # daphne and Twisted have no types
    _parsePOSTFormSubmission = False  # Django reads forms
    is_refused = False
    error_template = "<!doctype html><title>%(title)s</title><p>%(body)s</p>"

    def gotLength(self, length: int | None) -> None:
        """Called at the end of the headers; None for a body in chunks."""
        super().gotLength(0 if self._is_too_large(length or 0) else length)
        if self._is_too_large(length or 0):
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        if self.is_refused:
            return
        if self._is_too_large(self.content.tell() + len(data)):
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")  # where the site lies is no client's to say
        return super().process()

    def _is_too_large(self, length: int) -> bool:
        return length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def _refuse(self) -> None:
        """The application is asked at once, without the body: it knows from the length what to answer."""
        self.is_refused = True
        super().gotLength(0)
        self.requestHeaders.removeHeader(b"Expect")
        self.requestHeaders.removeHeader(b"Transfer-Encoding")
        too_large = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
        self.requestHeaders.setRawHeaders(b"Content-Length", [b"%d" % too_large])
        self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        self.channel.refuse(self)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection: of its requests each has to come whole within a time."""

    requestFactory = Request
    _deadline: Any = None
    _is_refusing = _is_over = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.factory.count(self.transport)

    def dataReceived(self, data: bytes) -> None:
        if self._deadline is None and not self._handlingRequest:
            self._deadline = self.callLater(settings.RECEIVE_TIMEOUT.total_seconds(), self._give_up)
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        self._received()
        if not self._is_refusing:
            super().allContentReceived()
            return
        self._is_over = True
        if not self.requests:  # it was answered already
            super().loseConnection()

    def rawDataReceived(self, data: bytes) -> None:
        if not self._is_over:
            super().rawDataReceived(data)

    def refuse(self, request: Request) -> None:
        """Have the request answered before its body has come; what comes is dropped."""
        self._is_refusing, self.persistent = True, False
        request.requestReceived(self._command, self._path, self._version)

    def loseConnection(self) -> None:
        if self._is_refusing and not self._is_over:
            self.transport.loseWriteConnection()
            self.callLater(LINGER_SECONDS, super().loseConnection)
        else:
            super().loseConnection()

    def connectionLost(self, reason: Any) -> None:
        self._received()
        super().connectionLost(reason)

    def _received(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.abortConnection()


class Factory(HTTPFactory):  # type: ignore[misc]
    """Of the connections, at most so many at a time; further ones are closed at once."""

    protocol = Channel

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._open = 0

    def buildProtocol(self, address: Any) -> Channel | None:
        if self._open >= settings.MAX_CONNECTIONS:
            return None
        channel: Channel = super().buildProtocol(address)
        channel.requestFactory = Request
        return channel

    def count(self, transport: Any) -> None:
        """Until the transport ends: a WebSocket takes it over from the channel."""
        self._open += 1
        lost = transport.connectionLost

        def ended(reason: Any) -> None:
            self._open -= 1
            transport.connectionLost = lost
            lost(reason)

        transport.connectionLost = ended
