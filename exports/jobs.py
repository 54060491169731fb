"""What RQ calls: an id in, one call. Both may be delivered twice, late, or after a cancel."""

from __future__ import annotations

from uuid import UUID

import structlog

from exports import build as building
from exports import cleaning, worker
from exports.exceptions import IllegalMove, LostClaim

log = structlog.get_logger(__name__)


def build(job_id: str) -> None:
    """Only one delivery can claim the job; the others leave it alone."""
    # For all that this work horse prints, RQ's own lines too; it ends with the job.
    structlog.contextvars.bind_contextvars(job=job_id)
    try:
        building.run(UUID(job_id), worker.is_stopping, worker.give_up)
    except (IllegalMove, LostClaim) as reason:
        log.info("export_left_alone", reason=str(reason))


def clean(job_id: str) -> None:
    structlog.contextvars.bind_contextvars(job=job_id)
    cleaning.clean(UUID(job_id))
