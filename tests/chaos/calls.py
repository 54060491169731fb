"""One user's calls of the API, each noted with when it was asked, when answered, and what was said."""

from __future__ import annotations

import hashlib
import http.client
import json
import select
import threading
from http import HTTPStatus
from typing import Any

from tests.chaos.answers import NOTHING, Answer, Job, inside, is_whole, told
from tests.chaos.cast import Person
from tests.chaos.course import Course, now
from tests.processes import HOST

TIMEOUT_SECONDS = 10
CHUNK = 1 << 16
BLANK = dict.fromkeys(("job", "project", "key", "options", "new", "range", "via"))


class Caller:
    """Safe to share: each thread has a connection of its own."""

    def __init__(self, course: Course, port: int, person: Person, name: str) -> None:
        self.person = person
        self._course, self._port, self._name = course, port, name
        self._own = threading.local()

    def start(self, project: str, options: dict[str, Any], key: str | None = None) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        noted = {"key": key, "options": _digest(options), "project": project}
        return self.ask("start", "POST", _exports(project), {"options": options}, headers, **noted)

    def status(self, job: Job, **headers: str) -> Answer:
        return self.act("status", job, "GET", **headers)

    def act(self, op: str, job: Job, method: str = "POST", **headers: str) -> Answer:
        """One of the actions whose address ends with their name."""
        return self.ask(op, method, f"{_path(job)}/{op}", None, headers, **_about(job))

    def retry(self, job: Job) -> Answer:
        return self.ask("retry", "POST", f"{_path(job)}/retry", project=job.project, retried=job.id)

    def delete(self, job: Job) -> Answer:
        return self.ask("delete", "DELETE", _path(job), **_about(job))

    def auto(self, job: Job) -> Answer:
        return self.ask("auto", "POST", f"{_path(job)}/auto-download", **_about(job))

    def token(self, job: Job) -> str | None:
        """The address of the file for a client without a login, if there is one."""
        return self.ask("token", "POST", f"{_path(job)}/download-token", **_about(job)).content.get("url")

    def stream_token(self) -> str | None:
        return self.ask("token", "POST", "/api/ws-token").content.get("url")

    def history(self, project: str) -> Answer:
        return self.ask("history", "GET", f"{_exports(project)}/history?limit=20", project=project)

    def estimate(self, project: str, options: dict[str, Any]) -> Answer:
        return self.ask(
            "estimate", "POST", f"{_exports(project)}/estimate", {"options": options}, project=project
        )

    def fetch(self, job: Job, method: str = "GET", url: str | None = None, **headers: str) -> Answer:
        """The file or a part of it; `url` is one with a token. Header names are written with underscores."""
        op = "head" if method == "HEAD" else "range" if "Range" in headers else "download"
        noted = {"via": "token" if url else "bearer", "range": headers.get("Range"), **_about(job)}
        return self.ask(op, method, url or f"{_path(job)}/download", None, headers, **noted)

    def fetch_in_parts(self, job: Job, parts: int) -> None:
        """All of it by ranges while it stays the same file; what they join to is noted once more."""
        began, first = now(), self.fetch(job, Range="bytes=0-0")
        pieces = [first]
        for piece in _rest(first.size, parts):
            if pieces[-1].status != HTTPStatus.PARTIAL_CONTENT or not pieces[-1].is_whole:
                return
            pieces.append(self.fetch(job, Range=piece, If_Range=first.headers["etag"]))
        joined = Answer(pieces[-1].status, first.headers, b"".join(piece.body for piece in pieces))
        if joined.status == HTTPStatus.PARTIAL_CONTENT and len(joined.body) == first.size:
            self._note(
                "range", began, joined, range="joined", via="bearer", **_about(job), **inside(joined.body)
            )

    def ask(
        self,
        op: str,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        **noted: Any,
    ) -> Answer:
        """`noted` goes into the record with what the answer says."""
        began = now()
        spelled = {name.replace("_", "-"): text for name, text in (headers or {}).items()}
        answer = self._exchange(method, path, body, spelled)
        if answer.status == HTTPStatus.OK and answer.is_archive and answer.is_whole and method == "GET":
            noted |= inside(answer.body)
        self._note(op, began, answer, **noted)
        return answer

    def _note(self, op: str, began: float, answer: Answer, **noted: Any) -> None:
        record = BLANK | told(answer) | noted
        if op in ("start", "retry"):
            record |= {"job": answer.content.get("jobId"), "new": answer.status == HTTPStatus.ACCEPTED}
        self._course.note(op, client=self._name, user=self.person.id, t0=began, t1=now(), **record)

    def _exchange(self, method: str, path: str, body: object, headers: dict[str, str]) -> Answer:
        status, fields, received = None, {}, bytearray()
        if "token=" not in path:
            headers = {"Authorization": f"Bearer {self.person.key}", **headers}
        if body is not None:
            headers = {"Content-Type": "application/json", **headers}
        try:
            connection = self._connection()
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            status, fields = response.status, {name.lower(): text for name, text in response.getheaders()}
            while chunk := response.read(CHUNK):
                received += chunk
        except (OSError, http.client.HTTPException):
            self.hang_up()
        answer = Answer(status, fields, bytes(received), is_whole(method, status, fields, len(received)))
        if not answer.is_whole:
            self.hang_up()
        return answer if answer.is_whole or answer.is_archive else NOTHING

    def _connection(self) -> http.client.HTTPConnection:
        """One that the server has not closed since the last call, as far as can be seen."""
        kept = getattr(self._own, "connection", None)
        if kept is not None and kept.sock is not None and select.select([kept.sock], [], [], 0)[0]:
            self.hang_up()
        if getattr(self._own, "connection", None) is None:
            self._own.connection = http.client.HTTPConnection(HOST, self._port, timeout=TIMEOUT_SECONDS)
        connection: http.client.HTTPConnection = self._own.connection
        return connection

    def hang_up(self) -> None:
        if getattr(self._own, "connection", None) is not None:
            self._own.connection.close()
            self._own.connection = None


def _rest(size: int, parts: int) -> list[str]:
    """Ranges of all bytes but the first."""
    step = max(1, -(-(size - 1) // parts))
    return [f"bytes={start}-{min(start + step, size) - 1}" for start in range(1, size, step)]


def _about(job: Job) -> dict[str, str]:
    return {"job": job.id, "project": job.project}


def _exports(project: str) -> str:
    return f"/api/projects/{project}/export"


def _path(job: Job) -> str:
    return f"{_exports(job.project)}/{job.id}"


def _digest(options: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:16]
