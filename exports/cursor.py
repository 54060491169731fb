"""What may still be sent of a job over one socket: newer than all before, and true of the row as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from exports import events
from exports.events import Event
from exports.models import ExportJob
from exports.states import Status

# What a client that receives the event takes the job to be. Downloads and cleaning up say nothing of that.
_MEANING: dict[type[Event], Status] = {
    events.Queued: Status.PENDING,
    events.Requeued: Status.PENDING,
    events.Started: Status.PROCESSING,
    events.Progress: Status.PROCESSING,
    events.Completed: Status.COMPLETED,
    events.Failed: Status.FAILED,
    events.Cancelled: Status.CANCELLED,
    events.Expired: Status.EXPIRED,
}
_HISTORY = (events.Queued, events.Requeued, events.Started, events.Progress)


@dataclass(frozen=True)
class _Told:
    """What the client knows of a job."""

    version: int = 0
    status: Status | None = None


class Cursor:
    """How far one client has been told of each job."""

    def __init__(self) -> None:
        self._told: dict[UUID, _Told] = {}

    def show(self, job: ExportJob) -> None:
        """Remember that the client was shown this row in a snapshot."""
        self._told[job.pk] = _Told(job.version, Status(job.status))

    def is_behind(self, job_id: UUID, version: int) -> bool:
        return self._told.get(job_id, _Told()).version < version

    def tell(self, job: ExportJob, announced: Sequence[Event]) -> list[Event]:
        """The events to send, oldest first; they count as sent.

        `job` is the row as just read. What was `announced` of it, in any order and however late, is passed
        on as far as it is news and still right; where it falls short of the row, the row is told instead.
        """
        chosen = [event for event in _history(job, announced) if self._passes(event, job)]
        if self.is_behind(job.pk, job.version):
            chosen += [event for event in self._present(job) if self._passes(event, job)]
        return chosen

    def _passes(self, event: Event, job: ExportJob) -> bool:
        """Whether the client may get it, after which it counts as sent."""
        told = self._told.get(job.pk, _Told())
        meaning = _MEANING.get(type(event))
        is_clear = meaning is not None or told.status == job.status
        is_said_twice = meaning == told.status == Status.CANCELLED
        if event.version <= told.version or not is_clear or is_said_twice:
            return False
        self._told[job.pk] = _Told(event.version, meaning or told.status)
        return True

    def _present(self, job: ExportJob) -> list[Event]:
        """What tells this client where the job is now."""
        knows_status = self._told.get(job.pk, _Told()).status == job.status
        if knows_status and job.cleaned_at:
            return [events.CleanupCompleted.of(job)]
        if not (job.download_count and job.status == Status.COMPLETED):
            return [events.current(job)]
        # The download raised the version after the completion, which is told as of one version before.
        earlier = [] if knows_status else [events.Completed.of(job, version=job.version - 1)]
        return [*earlier, events.Downloaded.of(job)]


def _history(job: ExportJob, announced: Sequence[Event]) -> list[Event]:
    """What the row bears out, in the order of versions; of all progress only the last."""
    known = {event.version: event for event in announced if event.version <= job.version}
    ordered = [known[version] for version in sorted(known) if _is_right(known[version], job)]
    progress = [event for event in ordered if isinstance(event, events.Progress)]
    return [event for event in ordered if event not in progress[:-1]]


def _is_right(event: Event, job: ExportJob) -> bool:
    """Whether the row bears out what was announced: of a cancelled job nothing else may be said."""
    if isinstance(event, _HISTORY):
        return job.status != Status.CANCELLED
    if isinstance(event, events.Downloaded):
        return job.status == Status.COMPLETED
    if isinstance(event, events.CleanupCompleted):
        return job.cleaned_at is not None
    return _MEANING[type(event)] == job.status
