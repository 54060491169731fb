"""The patches of `broken`: each takes one mechanism out of the process that calls it, and whatever would stand in."""

from __future__ import annotations

import inspect
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

SUCCESSOR_SECONDS = 20.0
"""That an attempt which was taken for dead waits for the one that follows it."""
BUILDING_SECONDS = 4.0
LATE_SECONDS = 1.5
WIDENED_SECONDS = 0.1


def without_fence() -> None:
    """The attempt is not checked, and an attempt does not notice that its job was given to another.

    What else would end such an attempt goes as well: RQ's command to stop is lost, and the sweep removes
    no staging. One that was frozen long enough to be replaced comes back while its successor, which is
    called before all others, builds.
    """
    from exports import dispatch, files, lifecycle

    for move in ("complete", "fail", "give_back"):
        replace(lifecycle, move, _of_whichever_attempt)
    replace(lifecycle, "beat", _unnoticed)
    replace(dispatch, "stop_after_commit", lambda _: lambda _job_id, _last_dispatch: None)
    replace(dispatch, "_enqueue", _successors_first)
    replace(files, "present", _published_alone)
    replace(files, "publish", _while_its_successor_builds)


def _of_whichever_attempt(move: Callable[..., object]) -> Callable[..., object]:
    def moved(job_id: UUID, _attempt: int, *more: object) -> object:
        return move(job_id, _row(job_id).attempt, *more)

    return moved


def _unnoticed(beat: Callable[..., None]) -> Callable[..., None]:
    from exports.exceptions import LostClaim

    def beaten(*told: object) -> None:
        with suppress(LostClaim):
            beat(*told)

    return beaten


def _successors_first(enqueue: Callable[..., None]) -> Callable[..., None]:
    def enqueued(function: str, job_id: UUID, call_id: str, **place: Any) -> None:
        is_first = call_id.endswith("-1") and not place
        enqueue(function, job_id, call_id, at_front=not is_first)

    return enqueued


def _published_alone(present: Callable[[], Iterable[Any]]) -> Callable[[], list[Any]]:
    return lambda: [found for found in present() if found[-1].suffix == ".zip"]


def _while_its_successor_builds(publish: Callable[..., object]) -> Callable[..., object]:
    def published(staged: Any, checkpoint: Callable[[], None]) -> object:
        until = time.monotonic() + SUCCESSOR_SECONDS
        while _is_replaced(staged) and time.monotonic() < until:
            time.sleep(0.02)
        _take_time(BUILDING_SECONDS if staged.attempt > 1 else 0.0, checkpoint)
        return publish(staged, checkpoint)

    return published


def _take_time(seconds: float, checkpoint: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        checkpoint()
        time.sleep(0.1)


def _is_replaced(staged: Any) -> bool:
    """Its job waits for another attempt, which nobody has begun yet."""
    job = _row(staged.job_id)
    return bool(job.status == "pending" and job.attempt == staged.attempt)


def without_lock() -> None:
    """Rows are read without their lock, and what is read is a tenth of a second old when it is acted on.

    The database's nets would still hold, each of them alone: the triggers and the unique sequence of the
    audit go as well.
    """
    from django.db.backends.signals import connection_created

    from exports import rows
    from exports.models import ExportJobQuerySet

    if "select_for_update" not in inspect.getsource(rows.locked):
        raise ImproperlyConfigured("exports.rows.locked takes no lock that could be taken out.")
    replace(ExportJobQuerySet, "select_for_update", lambda _: lambda jobs, **_options: jobs)
    replace(rows, "clock", _some_time_later)
    connection_created.connect(_without_nets, dispatch_uid="without nets")


def _some_time_later(clock: Callable[[], object]) -> Callable[[], object]:
    def later() -> object:
        time.sleep(random.uniform(0, WIDENED_SECONDS))
        return clock()

    return later


NETS = """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'transition_sequence_once') THEN
            ALTER TABLE exports_transition DROP CONSTRAINT IF EXISTS transition_sequence_once;
        END IF;
    END $$
"""


def _without_nets(connection: Any, **_signal: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no trigger fires
        cursor.execute(NETS)


def ack_before_commit() -> None:
    """A cancel is answered from what was read, and committed a moment later."""
    from exports import lifecycle

    replace(lifecycle, "cancel", _answered_first)


def _answered_first(cancel: Callable[..., object]) -> Callable[..., object]:
    def answered(job_id: UUID, *told: object) -> object:
        job = _row(job_id)
        if not job.is_cancellable:
            return cancel(job_id, *told)
        threading.Thread(target=_late, args=(cancel, job_id, *told)).start()
        return _looking_cancelled(job)

    return answered


def _late(cancel: Callable[..., object], *told: object) -> None:
    from django.db import DatabaseError, connections

    from exports.exceptions import ExportError

    time.sleep(LATE_SECONDS)
    with suppress(ExportError, DatabaseError):
        cancel(*told)
    connections.close_all()


def _looking_cancelled(job: Any) -> Any:
    from exports.rows import clock

    job.status, job.cancel_reason, job.cancelled_at = "cancelled", "user_cancelled", clock()
    job.file_name = job.file_size = job.sha256 = job.completed_at = job.expires_at = None
    job.version += 1
    return job


def serve_by_existence() -> None:
    """A download is whatever archive of the job lies on disk; the row is neither asked nor told."""
    from exports import downloads

    replace(downloads, "answer", _what_lies_there)


def _what_lies_there(answer: Callable[..., object]) -> Callable[..., object]:
    from django.http import HttpResponse

    from exports import files

    def answered(request: Any, job_id: UUID) -> object:
        archives = [path for path in files.of_job(job_id) if path.suffix == ".zip"]
        if request.method == "HEAD" or not archives:
            return answer(request, job_id)
        return HttpResponse(archives[-1].read_bytes(), content_type="application/zip")

    return answered


def events_without_version() -> None:
    """A socket passes on whatever is announced, in any order and at times twice."""
    from exports import cursor

    replace(cursor.Cursor, "tell", _as_it_comes)


def _as_it_comes(_tell: Callable[..., object]) -> Callable[..., object]:
    from exports import events

    def told(_cursor: object, job: Any, announced: Sequence[Any]) -> list[Any]:
        repeated = [*announced, *random.sample(announced, len(announced) // 2)]
        random.shuffle(repeated)
        return repeated or [events.current(job)]

    return told


def replace(owner: Any, name: str, make: Callable[[Any], object]) -> None:
    """Put what `make` makes of an attribute in its place; a build that breaks nothing must not start."""
    if not hasattr(owner, name):
        raise ImproperlyConfigured(f"{owner.__name__} has no {name} any more that could be broken.")
    setattr(owner, name, make(getattr(owner, name)))


def _row(job_id: UUID) -> Any:
    from exports.models import ExportJob

    return ExportJob.objects.get(pk=job_id)
