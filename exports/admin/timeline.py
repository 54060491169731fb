"""The audit of one export as it is told, with who did what and which event it led to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from exports import events, wording
from exports.models import ExportJob, Transition
from exports.states import CancelReason, Status

TOLD = 200  # rows; downloads of parts may be many more

# What was announced with a row of the audit; rows that are not listed were not announced.
_EVENTS: dict[str, type[events.Event]] = {
    "requested": events.Queued,
    "claimed": events.Started,
    "worker_lost": events.Requeued,
    "worker_stopping": events.Requeued,
    "built": events.Completed,
    "downloaded": events.Downloaded,
    "cleaned": events.CleanupCompleted,
    **dict.fromkeys(CancelReason.values, events.Cancelled),
}
# Failures and removals have many reasons.
_ENDS: dict[str, type[events.Event]] = {Status.FAILED: events.Failed, Status.EXPIRED: events.Expired}


@dataclass(frozen=True)
class Moment:
    row: Transition
    words: str
    refusal: str
    person: User | None
    """None where no person did it."""
    version: int | None
    detail: str
    event: str
    """The type of the event that told of it; empty when none did."""


def of(job: ExportJob) -> list[Moment]:
    """The last TOLD rows, oldest first: two queries."""
    rows = list(job.transitions.order_by("-sequence")[:TOLD])[::-1]
    people = User.objects.in_bulk({key for row in rows if (key := _person(row.actor))})
    return [_moment(row, people.get(_person(row.actor) or 0)) for row in rows]


def _moment(row: Transition, person: User | None) -> Moment:
    detail = {name: value for name, value in row.detail.items() if name != "version"}
    return Moment(
        row,
        wording.moment(row),
        wording.refusal(row),
        person,
        row.detail.get("version"),
        _compact(detail) if detail else "",
        _event(row),
    )


def _person(actor: str) -> int | None:
    kind, _, key = actor.partition(":")
    return int(key) if kind == "user" and key.isdecimal() and len(key) < 10 else None


def _event(row: Transition) -> str:
    kind = _EVENTS.get(row.reason)
    if row.to_status != row.from_status:
        kind = _ENDS.get(row.to_status, kind)
    return str(kind.model_fields["type"].default) if kind else ""


def _compact(detail: dict[str, Any]) -> str:
    return json.dumps(detail, ensure_ascii=False)
