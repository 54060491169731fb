"""What the database refuses, by raw SQL: the code is not asked."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from exports.models import ExportJob
from exports.states import ALLOWED, Status
from tests.exports.test_lifecycle import MOVES, PATHS
from tests.jobs import download

# The columns that each state needs, so that only the move itself can be what is refused.
COLUMNS = {
    Status.PENDING: "started_at = NULL, heartbeat_at = NULL",
    Status.PROCESSING: "started_at = now(), heartbeat_at = now(), attempt = attempt + 1",
    Status.COMPLETED: "completed_at = now(), file_name = 'x', file_size = 1, sha256 = 'x', "
    "expires_at = now(), heartbeat_at = NULL, started_at = now()",
    Status.FAILED: "failed_at = now(), error = 'x', error_code = 'x', retryable = true, heartbeat_at = NULL",
    Status.CANCELLED: "cancelled_at = now(), cancel_reason = 'user_cancelled', heartbeat_at = NULL",
    Status.EXPIRED: "expired_at = now(), completed_at = now(), heartbeat_at = NULL",
}
LEAVING = {
    Status.COMPLETED: ", file_name = NULL, file_size = NULL, sha256 = NULL, expires_at = NULL",
}
ILLEGAL = [(a, b) for a, b in product(Status, Status) if a != b and b not in ALLOWED[a]]


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def constraint(error: BaseException) -> str:
    return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]


@pytest.mark.parametrize(("source", "target"), ILLEGAL)
def test_an_illegal_move_is_refused(job: ExportJob, source: Status, target: Status) -> None:
    for move in PATHS[source]:
        MOVES[move](job.pk)
    leaving = LEAVING.get(source, "") if target not in (Status.PROCESSING, Status.COMPLETED) else ""

    with pytest.raises(IntegrityError) as refusal:
        sql(
            f"UPDATE exports_exportjob SET status = %s, version = version + 1, {COLUMNS[target]}{leaving} "
            "WHERE id = %s",
            target,
            job.pk,
        )

    assert constraint(refusal.value) in ("export_legal_move", "export_attempt_fences")


def test_a_legal_move_without_its_audit_row_is_refused(job: ExportJob) -> None:
    with pytest.raises(IntegrityError) as refusal:
        sql(
            "UPDATE exports_exportjob SET status = 'cancelled', version = version + 1, "
            f"{COLUMNS[Status.CANCELLED]} WHERE id = %s",
            job.pk,
        )

    assert constraint(refusal.value) == "export_is_audited"


@pytest.mark.parametrize("version", ["version", "version - 1"])
def test_a_change_without_a_new_version_is_refused(job: ExportJob, version: str) -> None:
    with pytest.raises(IntegrityError) as refusal:
        sql(f"UPDATE exports_exportjob SET message = 'x', version = {version} WHERE id = %s", job.pk)

    assert constraint(refusal.value) == "export_version_grows"


def test_a_downloaded_export_cannot_become_cancelled(completed: ExportJob) -> None:
    download(completed.pk, "user:1")

    with pytest.raises(IntegrityError):
        sql(
            "UPDATE exports_exportjob SET status = 'cancelled', version = version + 1, completed_at = NULL, "
            f"download_count = 0, {COLUMNS[Status.CANCELLED]}{LEAVING[Status.COMPLETED]} WHERE id = %s",
            completed.pk,
        )


def test_a_cancelled_export_cannot_be_given_a_file(cancelled: ExportJob) -> None:
    with pytest.raises(IntegrityError) as refusal:
        sql(
            "UPDATE exports_exportjob SET file_name = 'x', file_size = 1, sha256 = 'x', expires_at = now(), "
            "version = version + 1 WHERE id = %s",
            cancelled.pk,
        )

    assert constraint(refusal.value) == "export_file_iff_completed"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exports_transition SET reason = 'x' WHERE job_id = %s",
        "DELETE FROM exports_transition WHERE job_id = %s",
        "DELETE FROM exports_exportjob WHERE id = %s",
    ],
)
def test_the_audit_cannot_be_changed_or_deleted(cancelled: ExportJob, statement: str) -> None:
    with pytest.raises(ProgrammingError):
        sql(statement, cancelled.pk)


def test_an_audit_row_that_leaves_a_gap_is_refused(job: ExportJob) -> None:
    with pytest.raises(IntegrityError) as refusal:
        sql(
            "INSERT INTO exports_transition (job_id, sequence, from_status, to_status, reason, actor, attempt, at, "
            "detail) VALUES (%s, 3, '', 'pending', 'x', 'x', 0, now(), '{}')",
            job.pk,
        )

    assert constraint(refusal.value) == "audit_has_no_gaps"


def test_an_export_cannot_be_born_completed(job: ExportJob) -> None:
    job.pk, job.status = None, Status.COMPLETED
    job.file_name, job.file_size, job.sha256 = "x", 1, "x"
    job.completed_at = job.expires_at = job.started_at = job.created_at

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        job.save(force_insert=True)

    assert constraint(refusal.value) == "export_starts_pending"
