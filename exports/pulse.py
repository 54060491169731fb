"""The sign of life of an attempt, which is also how it learns that it was cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType

import structlog
from django.db import Error as DatabaseFault
from django.db import connection

from exports import lifecycle
from exports.exceptions import LostClaim
from exports.messages import Advance
from exports.models import ExportJob

log = structlog.get_logger(__name__)
BEAT_SECONDS = 0.25  # between two beats: at most four events a second
SILENCE_SECONDS = 1.0  # after which the thread beats for work that does not come to its next check
GRACE_SECONDS = 2.0  # for that work to come to its next check once the job is lost


class WorkerStopping(Exception):
    """The worker was told to stop: the job goes back to the queue."""


class Pulse:
    """Heartbeat, progress and the check for a cancel, for as long as the `with` lasts.

    The work beats by itself, between images and within long loops. Decoding one enormous picture is a
    single call, though: meanwhile a thread beats, and when the job is lost it calls `give_up`, for the
    work could not be told.
    """

    def __init__(self, job: ExportJob, is_stopping: Callable[[], bool], give_up: Callable[[], None]) -> None:
        self._job = job
        self._is_stopping = is_stopping
        self._give_up = give_up
        self._advance = Advance(0, "preparing", 0, job.image_count, "Listing the images")
        self._last = monotonic()
        self._beating = threading.Lock()
        self._is_lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._stand_in, name="pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def show(self, advance: Advance) -> None:
        self._advance = advance
        self.check()

    def check(self) -> None:
        """Raise LostClaim or WorkerStopping when this attempt has to end."""
        if self._is_stopping():
            raise WorkerStopping
        if self._is_lost:
            raise LostClaim
        self._beat_after(BEAT_SECONDS)

    def _beat_after(self, seconds: float) -> None:
        with self._beating:
            if monotonic() - self._last >= seconds:
                lifecycle.beat(self._job.pk, self._job.attempt, self._advance)
                self._last = monotonic()

    def _stand_in(self) -> None:
        try:
            while not self._over.wait(SILENCE_SECONDS / 2):
                self._beat_for_the_silent()
        except LostClaim:
            self._is_lost = True
            if not self._over.wait(GRACE_SECONDS):
                self._give_up()
        finally:
            connection.close()

    def _beat_for_the_silent(self) -> None:
        """A database that is away now may be back at the next beat."""
        try:
            self._beat_after(SILENCE_SECONDS)
        except DatabaseFault as error:
            log.warning("beat_failed", job=str(self._job.pk), error=str(error))
            connection.close()
