"""One running site for a whole module, with an object for each operation in each state that it can meet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import override_settings

from exports import build, lifecycle
from exports.messages import Failure
from exports.models import ExportJob, Preset
from exports.options import ExportOptions
from projects import synthetic
from projects.models import Project
from tests.jobs import request_for
from tests.processes import environment, start_daphne

GENEROUS = {
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "SITE_URL": "http://127.0.0.1",
    "EXPORT_MAX_ACTIVE_PER_USER": "100000",
    "API_RATE_LIMIT": "1000000/minute",
    "API_WRITE_RATE_LIMIT": "1000000/minute",
    "API_ANONYMOUS_RATE_LIMIT": "1000000/minute",
}


@dataclass(frozen=True)
class Site:
    url: str
    key: str
    """Of the projects' owner."""
    data_dir: Path
    project: str
    jobs: dict[str, str]
    """Ids by what they are kept for."""
    images: list[str]
    presets: dict[str, str]
    output: Path
    """What the web server prints."""

    def get(self, path: str) -> bytes:
        with urlopen(Request(self.url + path, headers={"Authorization": f"Bearer {self.key}"})) as answer:
            return bytes(answer.read())


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Its files lie where the end of a test does not remove them."""
    data_dir = tmp_path_factory.mktemp("site")
    (data_dir / "static").mkdir()
    with django_db_blocker.unblock():
        with _files_in(data_dir):
            seeded = _seed()
        with start_daphne(0, environment(data_dir, **GENEROUS)) as web:
            yield Site(url=web.url, data_dir=data_dir, output=web.output, **seeded)
        call_command("flush", interactive=False, verbosity=0)


@contextmanager
def _files_in(data_dir: Path) -> Iterator[None]:
    places = {"MEDIA_ROOT": data_dir / "media", "EXPORT_ROOT": data_dir / "exports"}
    with override_settings(EXPORT_MAX_ACTIVE_PER_USER=100, **places):
        yield


def _seed() -> dict[str, Any]:
    owner = User.objects.create_user("owner", "owner@example.org", "owner")
    project = synthetic.create("Nuclei", owner, images=3, size=64, polygons=3)
    synthetic.create("Cells", owner, images=1, size=64, polygons=3)
    key = io.StringIO()
    call_command("create_api_token", "owner", stdout=key)
    options = ExportOptions().as_json()
    return {
        "key": key.getvalue().split()[-1],
        "project": str(project.pk),
        "jobs": {name: str(job.pk) for name, job in _jobs(project)},
        "images": [str(image.pk) for image in project.images.all()],
        "presets": {
            name: str(Preset.objects.create(user=owner, name=name, options=options).pk)
            for name in ("kept", "deletable")
        },
    }


def _jobs(project: Project) -> Iterator[tuple[str, ExportJob]]:
    """Two with a file: one is kept, the other is there to be deleted."""
    by = lifecycle.actor(project.owner)
    failure = Failure("build_failed", "The archive could not be built.", retryable=True)
    waiting = [_requested(project, width) for width in range(1, 8)]
    for job in waiting[:3]:
        build.run(job.pk)
    claimed = [lifecycle.claim(job.pk) for job in waiting[3:5]]
    lifecycle.fail(claimed[0].pk, claimed[0].attempt, failure)
    lifecycle.cancel(waiting[5].pk, by)
    lifecycle.expire(waiting[2].pk, "deleted", by)
    names = ("completed", "deletable", "expired", "failed", "processing", "cancelled", "pending")
    yield from zip(names, waiting, strict=True)


def _requested(project: Project, width: int) -> ExportJob:
    """With options of its own: equal ones would give the same job."""
    style: Any = {"stroke_width": width}
    return lifecycle.request(request_for(project, project.owner, visualization_options=style))[0]
