"""Nine visitors of one project, and what each of them could ask for: one state of the database for a whole module."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client

from exports import keys, lifecycle
from exports.messages import PublishedFile
from exports.models import ApiToken, ExportJob, Preset
from exports.options import ExportOptions
from projects.models import Membership, Project, Role
from projects.outlines import OutlinedObject
from tests.conftest import add_image
from tests.jobs import request_for

VISITORS = (
    *("anonymous", "stranger", "viewer", "exporter", "editor"),
    *("owner", "staff", "revoked", "inactive"),
)
MEMBERS = {"viewer": Role.VIEWER, "exporter": Role.EXPORTER, "editor": Role.EDITOR, "inactive": Role.EDITOR}
WITH_EXPORTS = ("viewer", "exporter", "editor", "owner", "revoked", "inactive")
"""The viewer's are from a time when they might export."""

ARCHIVE = b"PK\5\6" + bytes(18)
SQUARE = [(10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0)]


@dataclass
class Stage:
    """`known[visitor]` fills the placeholders of an address."""

    users: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def client(self, visitor: str) -> Client:
        """With the cookie that they got when they were still let in."""
        client = Client(raise_request_exception=False)
        if visitor in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[visitor]
        return client

    def address(self, visitor: str, template: str, **others: object) -> str:
        return template.format(**(self.known[visitor] | others))


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside leaves no trace in the database. Nothing follows a commit, for there is none."""
    savepoint = transaction.atomic()
    savepoint._from_testcase = True  # type: ignore[attr-defined]  # durable blocks may stand in it
    with savepoint:
        yield
        transaction.set_rollback(True)


def made() -> Stage:
    """In the transaction of the caller."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    stage = Stage()
    for name in VISITORS[1:]:
        stage.users[name] = User.objects.create(username=name, password=f"!{name}", is_staff=name == "staff")
        stage.sessions[name] = _session(stage.users[name])
    stage.users["staff"].user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    _fill(stage, _project(stage.users))
    Membership.objects.filter(user=stage.users["revoked"]).delete()
    User.objects.filter(username="inactive").update(is_active=False)
    return stage


def _project(users: dict[str, User]) -> Project:
    project = Project.objects.create(name="Nuclei", owner=users["owner"])
    for name, role in {**MEMBERS, "revoked": Role.EXPORTER}.items():
        Membership.objects.create(project=project, user=users[name], role=role)
    add_image(project, "a.png", [OutlinedObject(parts=[[SQUARE]])], pixel_size=0.5)
    return project


def _fill(stage: Stage, project: Project) -> None:
    other = Project.objects.create(name="Other", owner=stage.users["owner"])
    elsewhere = add_image(other, "b.png", None)
    shared = _preset(stage.users["owner"], project)
    theirs = completed(project, stage.users["owner"])
    key = _key(stage.users["owner"])
    for visitor in VISITORS:
        user = stage.users.get(visitor)
        has_exports = user is not None and visitor in WITH_EXPORTS
        stage.known[visitor] = {
            "project": project.pk,
            "other": other.pk,
            "image": project.images.get().pk,
            "elsewhere": elsewhere.pk,
            "preset": shared.pk,
            "own_preset": _preset(user, None).pk if user and has_exports else uuid.UUID(int=1),
            "job": theirs.pk,
            "api_key": key.pk,
            "own_api_key": _key(user).pk if user else 0,
            "own": completed(project, user).pk if user and has_exports else uuid.UUID(int=2),
        }


def completed(project: Project, user: User) -> ExportJob:
    """An export that ended; its file holds next to nothing."""
    job = lifecycle.claim(lifecycle.request(request_for(project, user))[0].pk)
    name = f"{job.pk}-{job.attempt}.zip"
    published = Path(settings.EXPORT_ROOT) / "published" / name
    published.parent.mkdir(parents=True, exist_ok=True)
    published.write_bytes(ARCHIVE)
    file = PublishedFile(name, len(ARCHIVE), hashlib.sha256(ARCHIVE).hexdigest())
    return lifecycle.complete(job.pk, job.attempt, file, [])


def _preset(user: User, project: Project | None) -> Preset:
    name = f"Of {user.username}"
    return Preset.objects.create(user=user, project=project, name=name, options=ExportOptions().as_json())


def _key(user: User) -> ApiToken:
    return keys.create(user, keys.Wanted(None, "export", None))[0]


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
