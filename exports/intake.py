"""The first row of a job, or the job that an equal request has made already. Used by `lifecycle` alone."""

from __future__ import annotations

from exports import exceptions, rows
from exports.messages import Request
from exports.models import ExportJob


def same_request(wanted: Request) -> ExportJob | None:
    """The job that this request, or one with the same options, has led to already."""
    mine = ExportJob.objects.filter(user_id=wanted.user_id)
    if wanted.idempotency_key:
        keyed = mine.filter(idempotency_key=wanted.idempotency_key).first()
        if keyed and keyed.request_digest != wanted.digest:
            raise exceptions.IdempotencyKeyReused
        if keyed:
            return keyed
    same = mine.active().filter(project_id=wanted.project_id, options_digest=wanted.options.digest())
    return same.first()


def create(wanted: Request) -> ExportJob:
    now = rows.clock()
    return ExportJob.objects.create(
        user_id=wanted.user_id,
        project_id=wanted.project_id,
        project_name=wanted.project_name,
        options=wanted.options.as_json(),
        options_digest=wanted.options.digest(),
        request_digest=wanted.digest,
        idempotency_key=wanted.idempotency_key,
        retry_of_id=wanted.retry_of,
        image_count=wanted.image_count,
        sequence=1,
        dispatch=1,
        rung_at=now,
        created_at=now,
        changed_at=now,
    )
