"""A letter on its way to the mail server, and a cancel that must not be answered meanwhile.

A completed export can be cancelled until its first download. Once that is answered nobody may be told that it
completed, and what a mail server was given cannot be taken back. So the sender holds a lock from its look at the
row until the letter is handed over, and a cancel passes through that lock between its commit and its answer:
either the sender sees it, or it waits. It is no lock of a row: nothing else waits for a mail server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

from exports import rows

LONGEST = 60_000  # milliseconds; a mail server that takes 5 s for each of its answers is well within


@contextmanager
def alone(job_id: UUID) -> Iterator[None]:
    """A transaction in which letters of this job may be handed over. Raise Busy."""
    with rows.waiting_briefly(), transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            # Otherwise the database would end it, and let the lock go, while the mail server thinks.
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [str(LONGEST)]
            )
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(job_id)])
        yield


def wait_for_none(job_id: UUID) -> None:
    """Return when no letter that was written before this call is on its way any more. Raise Busy."""
    with rows.waiting_briefly(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_key(job_id)])


def _key(job_id: UUID) -> int:
    """Two random ids that share these 64 bits would only wait for one another."""
    return int.from_bytes(job_id.bytes[8:], signed=True)
