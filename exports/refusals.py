"""What a move that comes too late, or too early, is answered with."""

from __future__ import annotations

from exports import exceptions
from exports.models import ExportJob
from exports.states import Status


def refuse_download(job: ExportJob) -> None:
    """Raise what a download of a job that is not completed is answered with."""
    match job.status:
        case Status.COMPLETED:
            return
        case Status.CANCELLED:
            raise exceptions.Cancelled(cancelledAt=job.cancelled_at, jobStatus=job.status)
        case Status.EXPIRED:
            raise exceptions.Expired(jobStatus=job.status)
        case Status.FAILED:
            raise exceptions.Failed(jobStatus=job.status)
    raise exceptions.NotCompleted(jobStatus=job.status)


def refuse_cancel(job: ExportJob) -> None:
    refusals = {Status.FAILED: exceptions.AlreadyFailed, Status.EXPIRED: exceptions.AlreadyExpired}
    if job.status in refusals:
        raise refusals[Status(job.status)]
    if job.download_count:
        raise exceptions.AlreadyDownloaded
