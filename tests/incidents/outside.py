"""The hub as a program of somebody else sees it: requests to a real server, and their answers."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from exports.models import ExportJob
from tests.calling import job_url

PATIENCE = 30.0  # seconds
PROMPTLY = 5.0  # seconds; before a socket that was just opened reads its versions again


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Caller:
    """Somebody who asks the server at `url`; the headers say who it is."""

    url: str
    identity: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Header names are written with underscores."""
        with closing(self.connect()) as connection:
            return receive(self.send(connection, method, path, body, **headers))

    def about(self, job: ExportJob, action: str = "status", method: str = "GET", **headers: str) -> Answer:
        return self.ask(method, job_url(job, action), **headers)

    def cancel(self, job: ExportJob) -> Answer:
        return self.about(job, "cancel", "POST")

    def download(self, job: ExportJob, **headers: str) -> Answer:
        return self.about(job, "download", **headers)

    def audit(self, job: ExportJob) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.about(job, "audit").json["transitions"]
        return found

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)

    def send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: object = None,
        **headers: str,
    ) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        connection.request(
            method, path, content, self.identity | {"Content-Type": "application/json"} | named
        )
        return connection.getresponse()


def receive(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, response.headers, response.read())


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)
