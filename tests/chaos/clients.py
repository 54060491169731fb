"""Seeded clients: each takes one journey after another, as one of the people, until the run is over."""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.chaos.answers import Answer, Job
from tests.chaos.calls import Caller
from tests.chaos.cast import Cast, Person
from tests.chaos.course import Course, now
from tests.chaos.hub import Hub
from tests.chaos.journeys import AT_THE_END, JOURNEYS, LONGEST_WAIT_SECONDS

CLIENTS_A_PERSON = 3
ENDED = ("completed", "failed", "cancelled", "expired")
SHARES = {"small": 0.62, "other": 0.3, "large": 0.08}
LEAST = {"includeOriginalImages": False, "includeVisualizations": False, "includeDocumentation": False}
CHOICES: tuple[dict[str, Any], ...] = (
    LEAST | {"annotationFormats": ["json"], "metricsFormats": ["csv"]},
    LEAST | {"annotationFormats": ["json"], "metricsFormats": []},
    LEAST | {"annotationFormats": ["coco"], "metricsFormats": ["csv"]},
    LEAST | {"annotationFormats": ["coco", "json"], "metricsFormats": [], "includeOriginalImages": True},
    {"annotationFormats": ["json"], "metricsFormats": ["csv"]},
)


@dataclass
class Memory:
    """What the clients of one person know of each other's jobs."""

    jobs: deque[Job] = field(default_factory=lambda: deque(maxlen=50))
    cancelled: list[tuple[Job, str | None]] = field(default_factory=list)
    """With the address by an old token, if there was one."""


@dataclass
class Client:
    course: Course
    caller: Caller
    memory: Memory
    projects: dict[str, str]
    random: random.Random
    pool: ThreadPoolExecutor

    def live(self) -> None:
        self.caller.history(self.projects["small"])
        self.pause(self.random.uniform(0, 1))
        while not self.course.over.is_set():
            if self.course.draining.is_set():
                self.random.choice(AT_THE_END)(self)
                self.pause(0.2)
            else:
                self.random.choices(list(JOURNEYS), list(JOURNEYS.values()))[0](self)
            self.pause(self.random.uniform(0, 0.1))
        self.pool.shutdown()

    def may_start(self) -> bool:
        return not self.course.draining.is_set()

    def pause(self, seconds: float) -> None:
        self.course.pause(seconds)

    def wish(self, *, is_large: bool = False) -> tuple[str, dict[str, Any]]:
        """A project and options; mostly ones that nobody else has chosen."""
        name = "large" if is_large else self.random.choices(list(SHARES), list(SHARES.values()))[0]
        options = dict(self.random.choice(CHOICES))
        if self.random.random() < 0.9:
            options["pixelToMicrometerScale"] = round(self.random.uniform(0.1, 2), 6)
        return self.projects[name], options

    def new_key(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def start(self, *, is_large: bool = False) -> Job | None:
        project, options = self.wish(is_large=is_large)
        return self.start_as(project, options, self.new_key() if self.random.random() < 0.3 else None)

    def start_as(self, project: str, options: dict[str, Any], key: str | None) -> Job | None:
        """The job; without an answer the same request is made again, as its key is there for."""
        if not self.may_start():
            return None
        answer = self.caller.start(project, options, key)
        if answer.status is None and key:
            self.pause(self.random.uniform(0.1, 0.5))
            answer = self.caller.start(project, options, key)
        if answer.status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
            self.pause(self.random.uniform(0.1, 0.4))
        return self.remember(project, answer)

    def remember(self, project: str, answer: Answer) -> Job | None:
        if not (job_id := answer.content.get("jobId")):
            return None
        self.memory.jobs.append(Job(project, job_id))
        return self.memory.jobs[-1]

    def remembered(self) -> Job | None:
        return self.random.choice(list(self.memory.jobs)) if self.memory.jobs else None

    def start_and_wait(self, *, is_large: bool = False) -> Job | None:
        """A completed one."""
        job = self.start(is_large=is_large)
        return job if job and self.wait_for(job, "completed") == "completed" else None

    def wait_for(self, job: Job, status: str, every: float = 0.25) -> str | None:
        """The status that was waited for, or another one that ends the waiting; None when time is up."""
        until = now() + LONGEST_WAIT_SECONDS
        while now() < until and not self.course.over.is_set():
            answer = self.caller.status(job)
            found = answer.job.get("status")
            if found == status or found in ENDED:
                return str(found)
            self.pause(every if answer.status == HTTPStatus.OK else 0.3)
        return None

    def cancel(self, job: Job, url: str | None = None) -> None:
        """Until there is an answer; once it is accepted, everything is tried to get at the file."""
        while not self.course.over.is_set():
            answer = self.caller.act("cancel", job)
            if answer.status == HTTPStatus.OK:
                self.memory.cancelled.append((job, url))
                self.hammer(job, url)
            if answer.status not in (None, HTTPStatus.SERVICE_UNAVAILABLE):
                return
            self.pause(self.random.uniform(0.05, 0.5))

    def hammer(self, job: Job, url: str | None = None) -> None:
        ways: list[Callable[[], object]] = [
            lambda: self.caller.fetch(job),
            lambda: self.caller.fetch(job, method="HEAD"),
            lambda: self.caller.fetch(job, Range="bytes=0-99"),
            lambda: self.caller.fetch(job, Range="bytes=5-"),
            lambda: self.caller.fetch(job, If_None_Match="*"),
            lambda: self.caller.fetch(job, url=url) if url else self.caller.token(job),
            lambda: self.caller.auto(job),
            lambda: self.caller.status(job),
            lambda: self.caller.act("audit", job, "GET"),
        ]
        for way in self.random.choices(ways, k=self.random.randint(2, 6)):
            way()
            self.pause(self.random.choice((0, 0, 0.02, 0.2)))

    def some_cancelled(self) -> list[Job]:
        known = self.memory.cancelled
        return [job for job, _ in self.random.sample(known, min(3, len(known)))]

    def download_automatically(self, job: Job) -> None:
        if self.caller.auto(job).status == HTTPStatus.OK:
            self.caller.fetch(job)

    def together(self, *works: Callable[[], object]) -> None:
        """At the same time, each on a connection of its own."""
        for running in [self.pool.submit(work) for work in works]:
            running.result()


class Meddler:
    """The owner cancels other people's exports, found in the history of the projects."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def live(self) -> None:
        client = self._client
        while not client.course.over.is_set():
            client.pause(client.random.uniform(2, 6))
            project = client.random.choice(list(client.projects.values()))
            shown = client.caller.history(project).content.get("jobs", [])
            active = [
                job["jobId"] for job in shown if job["status"] in ("pending", "processing", "completed")
            ]
            if active and client.may_start():
                client.cancel(Job(project, client.random.choice(active)))


def send_all(course: Course, hub: Hub, cast: Cast) -> None:
    """Start everybody's clients."""
    for person in cast.people:
        memory = Memory()
        for number in range(1, CLIENTS_A_PERSON + 1):
            client = _client(course, hub, cast, person, f"{person.name}-{number}", memory)
            course.send_off(f"client {person.name}-{number}", client.live)
    meddler = Meddler(_client(course, hub, cast, cast.owner, "meddler", Memory()))
    course.send_off("meddler", meddler.live)


def _client(course: Course, hub: Hub, cast: Cast, person: Person, name: str, memory: Memory) -> Client:
    caller = Caller(course, hub.port, person, name)
    pool = ThreadPoolExecutor(5, thread_name_prefix=name)
    return Client(course, caller, memory, cast.projects, course.chance(name), pool)
