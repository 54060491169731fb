"""Processes that kill themselves at a named point of a named story, on the servers of a stack.

    [wreck] = crash(hub, [("worker builds", "archive.named")])

Each is forked from one that has loaded everything, and does what a web server, a worker or the scheduler does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from exports import build, dispatch, files, grants, jobs, lifecycle
from exports.messages import Request
from exports.models import ExportJob
from exports.states import CancelReason
from exports.worker import preload
from projects.models import Membership, Project
from tests.calling import exports_url, job_url
from tests.jobs import request_for
from tests.processes import ROOT
from tests.stack import Stack

PROGRAM = "import django; django.setup(); from tests.faults import crashing; crashing.main()"
WHOLE, DAMAGED = "small", "damaged"
"""Projects: one to export, and one whose images have lost their files."""


@dataclass(frozen=True)
class Wreck:
    signal: int
    """What ended it; 0 when it came past its point."""
    key: str
    """The Idempotency-Key of the export's request."""
    answer: int | None = None
    """What the client was told before."""


def crash(hub: Stack, cases: Sequence[tuple[str, str]]) -> list[Wreck]:
    """Run each story, one after the other, until its point."""
    command = (sys.executable, "-c", PROGRAM, json.dumps(cases))
    environment = hub.environment | {"TOKEN": hub.users["alice"].token}
    ran = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    return [Wreck(**each) for each in json.loads(ran.stdout.splitlines()[-1])]


def main() -> None:
    preload()
    print(json.dumps([_run(number, *case) for number, case in enumerate(json.loads(sys.argv[1]))]))


def _run(number: int, story: str, point: str) -> dict[str, Any]:
    source, sink = os.pipe()
    scene = Scene(f"{story}:{point}".replace(" ", "-"), 0.01 * (number + 1))
    child = os.fork()
    if not child:
        _live(*STORIES[story], scene, point, sink)
    os.close(sink)
    with open(source) as pipe:
        told = pipe.read()
    signal = -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"key": scene.key, "signal": signal, "answer": int(told) if told else None}


def _live(arrange: Arrange, act: Act, scene: Scene, point: str, sink: int) -> None:
    """The child. What it had told the client before its end was told."""
    try:
        job = arrange(scene)
        settings.EXPORT_CRASH_AT = point
        answer = act(job)
        if isinstance(answer, int):
            os.write(sink, str(answer).encode())
        dispatch._cleaner.shutdown()
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


@dataclass(frozen=True)
class Scene:
    """What stories begin with."""

    key: str
    scale: float
    """Unlike the others', so that no export is taken for another."""

    def nothing(self) -> ExportJob:
        """Only in the mind of who will ask for it."""
        wanted = self._request(WHOLE, "alice")
        return ExportJob(
            project_id=wanted.project_id, idempotency_key=self.key, options=wanted.options.as_json()
        )

    def waiting(self, project: str = WHOLE, user: str = "alice", **choices: Any) -> ExportJob:
        return lifecycle.request(self._request(project, user, **choices))[0]

    def hopeless(self) -> ExportJob:
        return self.waiting(DAMAGED, annotation_formats=[], metrics_formats=[])

    def of_a_former_member(self) -> ExportJob:
        job = self.waiting(user="vera")
        Membership.objects.filter(user=job.user).delete()
        return job

    def under_way(self) -> ExportJob:
        """With something on disk."""
        job = lifecycle.claim(self.waiting().pk)
        folder = files._staging_root() / f"{job.pk}-{job.attempt}"
        folder.mkdir()
        (folder / "archive.zip.part").write_bytes(b"begun")
        return job

    def often_lost(self) -> ExportJob:
        return _changed(self.under_way(), losses=settings.EXPORT_MAX_ATTEMPTS - 1)

    def overlong(self) -> ExportJob:
        return _changed(self.under_way(), started_at=F("started_at") - settings.EXPORT_TIMEOUT)

    def completed(self) -> ExportJob:
        job = self.waiting()
        build.run(job.pk)
        return ExportJob.objects.get(pk=job.pk)

    def outdated(self) -> ExportJob:
        return _changed(self.completed(), expires_at=F("expires_at") - 2 * settings.EXPORT_RETENTION)

    def downloaded(self) -> ExportJob:
        job = self.completed()
        with grants.download(job.pk, lifecycle.actor(job.user)) as grant:
            grant.accept_start()
        return job

    def cancelled(self) -> ExportJob:
        return lifecycle.cancel(self.under_way().pk, "user:1")

    def _request(self, project: str, user: str, **choices: Any) -> Request:
        wanted = Project.objects.get(name=project)
        asking = User.objects.get(username=user)
        return request_for(wanted, asking, key=self.key, pixel_to_micrometer_scale=self.scale, **choices)


def _changed(job: ExportJob, **columns: Any) -> ExportJob:
    ExportJob.objects.filter(pk=job.pk).update(version=F("version") + 1, **columns)
    return job


def _ask(action: str) -> Act:
    """The answer of the API; "delete" is a method, the others have an address."""

    def ask(job: ExportJob) -> int:
        method = {"download": "GET", "delete": "DELETE"}.get(action, "POST")
        return _sent(method, job_url(job, "" if action == "delete" else action))

    return ask


def _ask_to_start(job: ExportJob) -> int:
    body = {"options": job.options}
    return _sent("POST", exports_url(job.project_id), body, {"Idempotency-Key": job.idempotency_key or ""})


def _sent(method: str, url: str, body: object = None, headers: dict[str, str] | None = None) -> int:
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})
    content = "" if body is None else json.dumps(body)
    response = client.generic(method, url, content, content_type="application/json", headers=headers)
    return int(response.status_code)


Arrange = Callable[[Scene], ExportJob]
Act = Callable[[ExportJob], Any]
NOW = timedelta(0)
SCHEDULER = lifecycle.SCHEDULER
STORIES: dict[str, tuple[Arrange, Act]] = {
    "web takes a request": (Scene.nothing, _ask_to_start),
    "web cancels a waiting one": (Scene.waiting, _ask("cancel")),
    "web cancels one under way": (Scene.under_way, _ask("cancel")),
    "web cancels a completed one": (Scene.completed, _ask("cancel")),
    "web refuses a cancel": (Scene.downloaded, _ask("cancel")),
    "web accepts a download": (Scene.completed, _ask("download")),
    "web refuses a download": (Scene.cancelled, _ask("download")),
    "web grants the automatic download": (Scene.completed, _ask("auto-download")),
    "web deletes": (Scene.completed, _ask("delete")),
    "worker builds": (Scene.waiting, lambda job: jobs.build(str(job.pk))),
    "worker cannot build": (Scene.hopeless, lambda job: jobs.build(str(job.pk))),
    "worker gives back": (Scene.waiting, lambda job: build.run(job.pk, lambda: True)),
    "worker cleans": (Scene.cancelled, lambda job: jobs.clean(str(job.pk))),
    "scheduler rings again": (Scene.waiting, lambda job: lifecycle.ring_again(job.pk)),
    "scheduler requeues": (Scene.under_way, lambda job: lifecycle.requeue(job.pk, NOW)),
    "scheduler requeues no more": (Scene.often_lost, lambda job: lifecycle.requeue(job.pk, NOW)),
    "scheduler times out": (Scene.overlong, lambda job: lifecycle.cancel_overlong(job.pk, NOW)),
    "scheduler expires": (Scene.outdated, lambda job: lifecycle.expire(job.pk, "retention", SCHEDULER)),
    "scheduler withdraws": (
        Scene.of_a_former_member,
        lambda job: lifecycle.cancel(job.pk, SCHEDULER, CancelReason.SYSTEM),
    ),
}
"""What leads to an export, and what the named process then does with it; a status is what it answers."""
