"""A tour through the site with marked secrets: none turns up where it does not belong."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from exports import events, keys, tokens
from exports.models import ExportJob
from tests.calling import client_for, job_url
from tests.fetching import fetch
from tests.security.listening import listening

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD, WRONG = "marked-password-6231", "marked-mistake-6231"
ADMIN_PAGES = (
    "exports/exportjob",
    "exports/apitoken",
    "projects/project",
    "projects/membership",
    "auth/user",
)
OPEN_TABLES = ("exports_%", "projects_%", "django_admin_log", "axes_%")
"""Which staff may look at, and backups carry around."""


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr(events, "publish", lambda group, payload: told.append(f"{group} {payload}"))
    return told


@pytest.fixture
def secrets(alice: User, completed: ExportJob, announced: list[str]) -> dict[str, str]:
    alice.set_password(PASSWORD)
    alice.save(update_fields=["password"])
    return {
        "password": PASSWORD,
        "mistake": WRONG,
        "key": keys.create(alice, keys.Wanted(None, "export", None))[1],
        "download token": tokens.for_download(alice, completed.pk).text,
        "stream token": tokens.for_stream(alice).text,
        "secret key": settings.SECRET_KEY,
    }


def log_in(client: Client, password: str) -> Any:
    form = client.get("/accounts/login/")
    sent = {"username": "alice", "password": password, "csrfmiddlewaretoken": form.cookies["csrftoken"].value}
    return client.post("/accounts/login/", sent)


def tour(job: ExportJob, secrets: dict[str, str]) -> None:
    """As Alice; also what goes wrong. Her cookies join the secrets."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    log_in(client, WRONG)
    assert log_in(client, PASSWORD).status_code == 302
    secrets |= {f"{name} {len(secrets)}": client.cookies[name].value for name in ("sessionid", "csrftoken")}
    bearer = {"Authorization": f"Bearer {secrets['key']}"}
    for address in (
        "/",
        "/exports/",
        "/accounts/keys/",
        job.project.get_absolute_url(),
        job_url(job, "status"),
    ):
        client.get(address)
        client.get(address, {"token": secrets["download token"]}, headers=bearer)
    client.get("/nothing", {"token": secrets["stream token"]}, headers=bearer)
    client.get(job_url(job, "status") + "x", {"token": secrets["download token"]}, headers=bearer)
    client.post(job_url(job, "cancel"), headers={"X-CSRFToken": "wrong"})
    client.get("/", headers={"Authorization": f"Bearer {secrets['key']}x"})
    fetch(None, f"{job_url(job, 'download')}?token={secrets['download token']}")


def fail(*_: object, **__: object) -> None:
    """A fault of ours in the middle of whatever Alice sends."""
    raise RuntimeError("/var/somewhere is full")


def told_to_others(job: ExportJob, bob: User) -> str:
    """All pages that another member, and an administrator, look at."""
    admin = User.objects.create_superuser("admin", password="admin")
    pages = ["/", "/exports/", "/accounts/keys/", job.project.get_absolute_url(), "/api/projects", "/metrics"]
    of_admin = [f"/admin/{page}/" for page in ADMIN_PAGES] + [f"/admin/exports/exportjob/{job.pk}/change/"]
    of_admin += [f"/admin/auth/user/{job.user_id}/change/", f"/admin/exports/exportjob/{job.pk}/history/"]
    answers = [client_for(bob).get(page) for page in pages]
    answers += [client_for(admin).get(page) for page in [*pages, *of_admin]]
    return "".join(f"{answer.headers} {answer.content.decode()}" for answer in answers)


def kept_in_tables() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE ANY(%s)",
            [list(OPEN_TABLES)],
        )
        names = [name for (name,) in cursor.fetchall()]
        rows = []
        for name in names:
            cursor.execute(f'SELECT row_to_json(each)::text FROM "{name}" each')
            rows += [row for (row,) in cursor.fetchall()]
    return "".join(rows)


def held_by(archive: Path) -> str:
    with zipfile.ZipFile(archive) as opened:
        return "".join(opened.read(name).decode("latin-1") for name in opened.namelist())


def test_no_secret_turns_up_where_it_does_not_belong(
    completed: ExportJob,
    bob: User,
    secrets: dict[str, str],
    announced: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = held_by(settings.EXPORT_ROOT / "published" / str(completed.file_name))
    with listening(logging.DEBUG) as log:
        tour(completed, secrets)
        monkeypatch.setattr("exports.admission.start", fail)
        monkeypatch.setattr("exports.cards.shown_to", fail)
        tour(completed, secrets)
    monkeypatch.undo()
    places = {
        "log": "\n".join(log.lines), "events": "".join(announced), "archive": held,
        "others": told_to_others(completed, bob), "tables": kept_in_tables(),
    }  # fmt: skip
    assert any(record.exc_info for record in log.records)
    found = [
        (what, where) for where, text in places.items() for what, secret in secrets.items() if secret in text
    ]
    assert found == []
