"""Removing what an ended job left on disk. Safe to run twice, at the same time, and at any moment."""

from __future__ import annotations

from uuid import UUID

import structlog

from exports import crashpoints, files, lifecycle
from exports.models import ExportJob
from exports.states import ENDED

log = structlog.get_logger(__name__)


def clean(job_id: UUID, by: str = lifecycle.SYSTEM) -> None:
    """Remove it, and note that it is gone. Nothing happens to a job that is not ended.

    While something of it is left (its process has a last breath), nothing is noted: the sweep comes again.
    """
    job = ExportJob.objects.filter(pk=job_id).first()
    if job is None or job.status not in ENDED:
        return
    freed = files.remove_job(job_id)
    crashpoints.reach("files.removed")
    if files.of_job(job_id):
        log.warning("files_left", job=str(job_id))
        return
    lifecycle.record_cleanup(job_id, freed, by)
