"""Mechanisms that no other test would miss: nets of the database, and moments between two steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, connection, transaction

from exports import admission, build, files, intake, lifecycle, rows, sweep
from exports.management.commands import sweep_exports
from exports.models import ExportJob
from projects.models import Project
from tests.jobs import request_for
from tests.races.conftest import outcome_of

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS: dict[str, Callable[[ExportJob], object]] = {
    "cancel": lambda job: lifecycle.cancel(job.pk, "user:1"),
    "request": lambda job: lifecycle.request(request_for(job.project, job.user)),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_nothing_is_answered_inside_a_transaction_that_may_fail(job: ExportJob, answer: str) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        ANSWERS[answer](job)


@pytest.mark.parametrize("attempt", ["attempt + 1", "attempt - 1"])
def test_the_attempt_cannot_change_without_a_claim(processing: ExportJob, attempt: str) -> None:
    statement = f"UPDATE exports_exportjob SET version = version + 1, attempt = {attempt}"
    with pytest.raises(IntegrityError, match="the attempt grows by one"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("constraint", "key", "scale"),
    [("export_one_active_of_a_kind", None, None), ("export_idempotency_key_once", "k", 2.0)],
    ids=["export_one_active_of_a_kind", "export_idempotency_key_once"],
)
def test_the_database_refuses_a_second_export_where_there_is_to_be_one(
    project: Project, alice: User, bell: list[Any], constraint: str, key: str | None, scale: float | None
) -> None:
    lifecycle.request(request_for(project, alice, key="k"))
    with pytest.raises(IntegrityError, match=constraint):
        intake.create(request_for(project, alice, key=key, pixel_to_micrometer_scale=scale))


def test_who_tries_again_does_not_wait_for_the_first_export(failed: ExportJob) -> None:
    with ThreadPoolExecutor(1) as pool, rows.locked(failed.pk):
        again = pool.submit(outcome_of, partial(admission.retry, failed.user, failed)).result()
    assert isinstance(again, tuple), again


def test_an_archive_is_on_disk_before_it_has_its_name(
    job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("fsync", "replace"):
        note_calls(monkeypatch, name, steps)
    build.run(job.pk)
    assert steps == ["fsync", "replace", "fsync"]


def note_calls(monkeypatch: pytest.MonkeyPatch, name: str, steps: list[str]) -> None:
    """Write down each such call of the operating system."""
    real = getattr(os, name)
    monkeypatch.setattr(os, name, lambda *arguments: steps.append(name) or real(*arguments))


def test_an_archive_that_is_published_while_a_sweep_looks_is_kept(
    job: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = files.present

    def present_after_a_build() -> Iterator[tuple[UUID, int, Path]]:
        build.run(job.pk)
        return present()

    monkeypatch.setattr(files, "present", present_after_a_build)
    assert sweep.orphans() == []


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError, InternalError])
def test_a_pass_without_the_database_does_not_end_the_scheduler(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def away() -> None:
        raise fault

    monkeypatch.setattr(sweep_exports, "sweep", away)
    sweep_exports.Command()._pass()
