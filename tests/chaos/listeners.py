"""Sockets that come again whenever they are cut off, and note every frame."""

from __future__ import annotations

import json
import random
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from tests.chaos.calls import Caller
from tests.chaos.cast import Cast
from tests.chaos.course import Course, now
from tests.chaos.hub import Hub
from tests.processes import HOST

HEAR_SECONDS = 1.0
SYNC_SHARE = 0.01
"""Of the frames after which a fresh snapshot is asked for."""


class Listener:
    """One person's window on the stream."""

    def __init__(self, course: Course, caller: Caller, hub: Hub, name: str) -> None:
        self._course, self._caller, self._hub, self._name = course, caller, hub, name
        self._random: random.Random = course.chance(name)
        self._opened = 0

    def live(self) -> None:
        while not self._course.over.is_set():
            self._come()
            self._course.pause(self._random.uniform(0.1, 1.0))

    def _come(self) -> None:
        """One socket from its opening to its end."""
        if not (address := self._caller.stream_token()):
            return
        self._opened += 1
        socket_id = f"{self._name}#{self._opened}"
        code: int | None = None
        try:
            with connect(self._url(address), origin=self._hub.url, open_timeout=10, max_size=None) as socket:
                self._note("socket_opened", socket_id, code=None)
                self._listen(socket, socket_id)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
        except (OSError, InvalidHandshake, InvalidMessage):
            pass
        self._note("socket_closed", socket_id, code=code)

    def _url(self, address: str) -> str:
        return f"ws://{HOST}:{self._hub.port}{address}"

    def _listen(self, socket: ClientConnection, socket_id: str) -> None:
        while not self._course.over.is_set():
            try:
                frame = json.loads(socket.recv(timeout=HEAR_SECONDS))
            except TimeoutError:
                socket.send('{"type": "ping"}')
                continue
            self._keep(frame, socket_id)
            if self._random.random() < SYNC_SHARE:
                socket.send('{"type": "export:sync"}')

    def _keep(self, frame: dict[str, Any], socket_id: str) -> None:
        if frame["type"] == "export:snapshot":
            jobs = {job["jobId"]: [job["version"], job["status"]] for job in frame["jobs"]}
            self._note("snapshot", socket_id, jobs=jobs)
        elif "jobId" in frame:
            about = {
                "type": frame["type"],
                "job": frame["jobId"],
                "version": frame["version"],
                "job_status": None,
            }
            self._note("frame", socket_id, **about)

    def _note(self, op: str, socket_id: str, **fields: object) -> None:
        self._course.note(op, user=self._caller.person.id, socket=socket_id, t1=now(), **fields)


def send_all(course: Course, hub: Hub, cast: Cast) -> None:
    """One for each person, and another for the owner."""
    for number, person in enumerate((*cast.people, cast.owner)):
        name = f"listener-{number}-{person.name}"
        listener = Listener(course, Caller(course, hub.port, person, name), hub, name)
        course.send_off(name, listener.live)
