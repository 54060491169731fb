"""What may be fetched of a completed export, decided under its row's lock: no status moves here.

A download and a cancel exclude each other: whichever gets the lock first decides, and the other is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exports import events, exceptions, refusals, rows
from exports.models import ExportJob


@dataclass(frozen=True)
class Grant:
    """The right to send the file of a job whose lock is held."""

    job: ExportJob
    _by: str
    _now: datetime

    def accept_start(self) -> None:
        """Record a download: from this commit on the job cannot be cancelled."""
        self.job.download_count += 1
        rows.change(self.job, self.job.status, "downloaded", self._by, self._now)
        events.announce(events.Downloaded, self.job)

    def accept_part(self, content_range: str) -> None:
        """Record a later part; the first part of all counts as a download, wherever it starts."""
        if self.job.download_count:
            rows.note(self.job, "range_downloaded", self._by, self._now, range=content_range)
        else:
            self.accept_start()


@contextmanager
def download(job_id: UUID, by: str) -> Iterator[Grant]:
    """Raise NotCompleted, Failed, Cancelled or Expired: then not a byte may be sent, and the audit says so."""
    with rows.answering(job_id, by, "download") as (job, now):
        refusals.refuse_download(job)
        yield Grant(job, by, now)


def claim_auto_download(job_id: UUID, by: str) -> ExportJob:
    """Grant the one automatic download in a job's life. Raise AlreadyAutoDownloaded, or as `download`."""
    with rows.locked(job_id) as (job, now):
        refusals.refuse_download(job)
        if job.auto_download_claimed:
            raise exceptions.AlreadyAutoDownloaded
        job.auto_download_claimed = True
        rows.change(job, job.status, "auto_download_claimed", by, now)
    return job
