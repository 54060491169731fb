"""From a claimed job to a published archive: one pass over the images, everything or nothing.

Cancelling is one exception at the next checkpoint: the beat finds the row changed, raises, and the
staging folder goes with its `with`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from config.outage import OUTAGE
from exports import assembly, crashpoints, files, lifecycle, snapshot
from exports.archive.dataset import LeftOut
from exports.exceptions import LostClaim
from exports.messages import Advance, Failure, PublishedFile
from exports.models import ExportJob
from exports.pulse import Pulse, WorkerStopping
from exports.states import Status


def run(
    job_id: UUID, is_stopping: Callable[[], bool] = lambda: False, give_up: Callable[[], None] = lambda: None
) -> None:
    """Build one export. Raise IllegalMove or LostClaim when the job is not ours to build (any more).

    `give_up` is called from a thread when it is not ours and the build does not come to notice.
    """
    job = lifecycle.claim(job_id)
    structlog.contextvars.bind_contextvars(attempt=job.attempt)
    try:
        published, left_out = _archive(job, Pulse(job, is_stopping, give_up))
        _complete(job, published, [_warning(each) for each in left_out])
    except WorkerStopping:
        lifecycle.give_back(job.pk, job.attempt)
    except (LostClaim, *OUTAGE):
        # Cancelled, or the database is away: nothing can be recorded; the sweep takes the job back.
        raise
    except Exception as error:
        lifecycle.fail(job.pk, job.attempt, _failure(error))
        raise


def _archive(job: ExportJob, pulse: Pulse) -> tuple[PublishedFile, tuple[LeftOut, ...]]:
    """The archive at its final place, which no row names yet, and what is not in it."""
    with pulse, files.staging(job.pk, job.attempt) as staged:
        crashpoints.reach("staging.made")
        dataset, items = snapshot.read(job, staged.folder, pulse.check)
        with staged.archive.open("w+b") as file:
            left_out = assembly.write(file, dataset, items, pulse)
        crashpoints.reach("archive.written")
        pulse.show(Advance(97, "publishing", 0, 1, "Checking the archive"))
        return files.publish(staged, pulse.check), left_out


def _complete(job: ExportJob, published: PublishedFile, warnings: list[dict[str, Any]]) -> None:
    try:
        lifecycle.complete(job.pk, job.attempt, published, warnings)
    except LostClaim:
        files.remove_published(published.name)
        raise
    except OUTAGE:
        # The connection may have gone during COMMIT: only the row knows what became of it.
        connection.close()
        row = ExportJob.objects.get(pk=job.pk)
        if (row.status, row.file_name) != (Status.COMPLETED, published.name):
            raise


def _warning(left_out: LeftOut) -> dict[str, Any]:
    return {"code": left_out.code, "message": left_out.sentence, "image": left_out.original_name}


def _failure(error: Exception) -> Failure:
    """What the user is told; the log has the rest."""
    if isinstance(error, assembly.NothingExported):
        return Failure("nothing_exported", str(error), retryable=False)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        sentence = "The disk is full. Try again later, or select fewer images."
        return Failure("insufficient_storage", sentence, retryable=True)
    sentence = (
        "Something went wrong while the archive was built. Try again; if it fails again, tell us its number."
    )
    return Failure("build_failed", sentence, retryable=True)
