"""What docs/OPERATIONS.md tells those who run the hub is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import get_commands
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from config.embedded.installation import BINARIES, packages
from exports import build, lifecycle
from exports.models import ExportJob
from projects.models import Project
from tests.jobs import download, request_for
from tests.processes import ROOT, database_url, environment

PAGE = (ROOT / "docs" / "OPERATIONS.md").read_text()
READ = re.compile(
    r"""(?:environment\.(?:text|boolean|integer|duration|words|folder|rate|choice|address)\(|environ(?:\.get\(|\[))\s*"([A-Z_]+)\""""
)
OF_THE_SYSTEM = {"MAKELEVEL", "DJANGO_SETTINGS_MODULE", "SUPERVISED", "SECRET_KEY_FILE", "TMPDIR"}
OPERATORS = {
    "rate",
    "increase",
    "sum",
    "by",
    "le",
    "time",
    "histogram_quantile",
    "absent",
    "up",
    "on",
    "max",
    "min",
}


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def settings_read() -> set[str]:
    sources = [
        path.read_text() for name in ("config", "exports", "projects") for path in (ROOT / name).rglob("*.py")
    ]
    return {name for source in sources for name in READ.findall(source)} - OF_THE_SYSTEM


def test_every_setting_is_in_the_table_and_no_other() -> None:
    rows = [line.split("|")[1] for line in section("Settings").splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert len(listed) > 25
    assert listed == settings_read()


@pytest.fixture
def names(client: Client, completed: ExportJob) -> set[str]:
    client.get("/healthz")  # the first request is counted when it has been answered
    families = [*text_string_to_metric_families(client.get("/metrics").content.decode())]
    return {sample.name for family in families for sample in family.samples}


@pytest.mark.django_db(transaction=True)
def test_every_alarm_asks_for_metrics_that_exist(names: set[str]) -> None:
    alarms = [line for line in section("Alarms").splitlines() if line.startswith("| `")]
    asked = {
        name for line in alarms for name in re.findall(r"\b(?:exports|process)_[a-z_]+\b", line.split("|")[2])
    }
    assert len(alarms) > 8
    assert len(asked) > 10
    assert asked - names == set()


@pytest.mark.django_db(transaction=True)
def test_every_metric_of_ours_is_described_and_no_other(names: set[str]) -> None:
    listed = set(re.findall(r"^\| `(exports_[a-z_]+)", section("Metrics"), re.MULTILINE))
    ours = {
        re.sub(r"_(bucket|sum|count|created)$", "", name) for name in names if name.startswith("exports_")
    }
    assert {name for name in ours if not name.endswith("_created")} == listed


def test_every_alarm_has_its_runbook() -> None:
    alarms = re.findall(r"^\| `([A-Za-z]+)`", section("Alarms"), re.MULTILINE)
    runbook = section("Runbook")
    assert [name for name in alarms if f"### {name}\n" not in runbook] == []


def test_every_command_exists() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", PAGE))
    assert named - {*get_commands()} == set()
    assert "settle_restored" in named


def test_the_programs_are_started_as_up_starts_them() -> None:
    from config import programs

    assert "-m config.web" in PAGE
    worker = " ".join(programs._worker(1).command[1:])
    assert worker in PAGE
    assert " ".join(programs._scheduler().command[1:]) in PAGE


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of an empty database on the server of the tests."""
    name = f"restored_{os.getpid()}"
    with psycopg.connect(database_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield database_url().rpartition("/")[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.django_db(transaction=True)
def test_what_was_cancelled_after_the_backup_stays_ended_when_it_is_restored(
    project: Project, alice: User, bell: object, tmp_path: Path, elsewhere: str
) -> None:
    jobs = [
        lifecycle.request(request_for(project, alice, metricsFormats=[each]))[0] for each in ("csv", "excel")
    ]
    lifecycle.claim(jobs[1].pk)
    built = [finished(project, alice, each) for each in ("coco", "yolo", "geojson")]
    download(built[0].pk)
    download(built[1].pk)
    run("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", database_url())
    for job in (*jobs, built[2]):
        lifecycle.cancel(job.pk, lifecycle.actor(alice))
    (Path(settings.EXPORT_ROOT) / "published" / str(built[1].file_name)).unlink()
    late = finished(project, alice, "cvat")
    run("pg_restore", f"--dbname={elsewhere}", str(tmp_path / "backup"))
    said = settle(elsewhere)
    assert said == "Exports cancelled: 2, not downloaded yet and removed: 1, without their file: 1.\n"
    assert statuses(elsewhere) == {
        **{job.pk: "cancelled" for job in jobs},
        built[0].pk: "completed",
        built[1].pk: "expired",
        built[2].pk: "expired",
    }
    left = {path.name for path in (Path(settings.EXPORT_ROOT) / "published").iterdir()}
    assert left == {built[0].file_name}
    assert str(late.file_name) not in left


def finished(project: Project, user: User, part: str) -> ExportJob:
    job, _ = lifecycle.request(request_for(project, user, annotationFormats=[part]))
    build.run(job.pk)
    return ExportJob.objects.get(pk=job.pk)


def run(program: str, *arguments: str) -> None:
    command = (str(packages() / BINARIES / program), *arguments)
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def settle(url: str) -> str:
    command = (sys.executable, "manage.py", "settle_restored", "--no-input")
    known = environment(settings.DATA_DIR, DATABASE_URL=url)
    return subprocess.run(
        command, cwd=ROOT, env=known, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def statuses(url: str) -> dict[object, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT id, status FROM exports_exportjob").fetchall())
