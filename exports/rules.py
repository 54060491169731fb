"""What the database refuses, whoever writes: constraints and triggers of jobs and their audit.

The code keeps all of this by itself; these nets are for raw SQL, the admin, and the mistakes of tomorrow.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from exports.states import ACTIVE, ALLOWED, ENDED, CancelReason, Status


def _exactly_in(statuses: tuple[Status, ...], *fields: str) -> Q:
    """Each of `fields` is set when the status is one of `statuses`, and empty otherwise."""
    filled = Q(**{f"{field}__isnull": False for field in fields})
    empty = Q(**{f"{field}__isnull": True for field in fields})
    return (Q(status__in=statuses) & filled) | (~Q(status__in=statuses) & empty)


def _holds(name: str, condition: Q) -> models.CheckConstraint:
    return models.CheckConstraint(name=f"export_{name}", condition=condition)


JOB_CONSTRAINTS = [
    _holds("status_known", Q(status__in=Status.values)),
    _holds(
        "file_iff_completed",
        _exactly_in((Status.COMPLETED,), "file_name", "file_size", "sha256", "expires_at"),
    ),
    _holds("completed_at_iff_completed", _exactly_in((Status.COMPLETED, Status.EXPIRED), "completed_at")),
    _holds(
        "failure_iff_failed", _exactly_in((Status.FAILED,), "failed_at", "error", "error_code", "retryable")
    ),
    _holds("reason_iff_cancelled", _exactly_in((Status.CANCELLED,), "cancelled_at", "cancel_reason")),
    _holds("reason_known", Q(cancel_reason=None) | Q(cancel_reason__in=CancelReason.values)),
    _holds("expired_at_iff_expired", _exactly_in((Status.EXPIRED,), "expired_at")),
    _holds("heartbeat_iff_processing", _exactly_in((Status.PROCESSING,), "heartbeat_at")),
    _holds(
        "started_once_claimed",
        ~Q(status=Status.PENDING, started_at__isnull=False)
        & ~Q(status__in=(Status.PROCESSING, Status.COMPLETED), started_at__isnull=True),
    ),
    _holds("cleaned_once_ended", Q(cleaned_at=None) | Q(status__in=ENDED)),
    _holds(
        "downloaded_once_completed", Q(download_count=0) | Q(status__in=(Status.COMPLETED, Status.EXPIRED))
    ),
    _holds("progress_in_percent", Q(progress__gte=0, progress__lte=100)),
    models.UniqueConstraint(
        name="export_one_active_of_a_kind",
        fields=["user", "project", "options_digest"],
        condition=Q(status__in=ACTIVE),
    ),
    models.UniqueConstraint(
        name="export_idempotency_key_once",
        fields=["user", "idempotency_key"],
        condition=Q(idempotency_key__isnull=False),
    ),
]

JOB_INDEXES = [
    models.Index(name="export_active", fields=["status", "created_at"], condition=Q(status__in=ACTIVE)),
    models.Index(name="export_of_project", fields=["project", "-created_at", "-id"]),
    models.Index(name="export_of_user", fields=["user", "-created_at", "-id"]),
    models.Index(name="export_changed", fields=["user", "changed_at"]),
    # The lists of administrators, newest first, of millions; none has a column that a heartbeat changes.
    models.Index(name="export_newest", fields=["-created_at", "-id"]),
    models.Index(name="export_of_status", fields=["status", "-created_at", "-id"]),
    models.Index(
        name="export_of_cancel_reason",
        fields=["cancel_reason", "-created_at", "-id"],
        condition=Q(cancel_reason__isnull=False),
    ),
    models.Index(
        name="export_of_error",
        fields=["error_code", "-created_at", "-id"],
        condition=Q(error_code__isnull=False),
    ),
    # Estimates look at the newest exports: without it each claim would sort all that ever ended.
    models.Index(
        name="export_recent",
        fields=["-completed_at"],
        condition=Q(completed_at__isnull=False, image_count__gt=0),
    ),
    # The sizes of all archives, together and by day, from the index alone.
    models.Index(
        name="export_published", fields=["completed_at", "file_size"], condition=Q(status=Status.COMPLETED)
    ),
    models.Index(name="export_retention", fields=["expires_at"], condition=Q(status=Status.COMPLETED)),
    models.Index(name="export_uncleaned", fields=["id"], condition=Q(status__in=ENDED, cleaned_at=None)),
]

_MOVES = " OR ".join(
    f"(OLD.status = '{source.value}' AND NEW.status IN ({', '.join(repr(target.value) for target in targets)}))"
    for source, targets in ALLOWED.items()
    if targets
)

JOB_TRIGGERS = [
    pgtrigger.Trigger(
        name="export_moves",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        func=f"""
            -- A new audit row alone (a refused cancel, say) is no change that anybody is told of.
            IF NEW.version <= OLD.version AND to_jsonb(NEW) - 'sequence' <> to_jsonb(OLD) - 'sequence' THEN
                RAISE EXCEPTION 'export %: version must grow with every change', OLD.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'export_version_grows';
            END IF;
            IF NEW.status <> OLD.status AND NOT ({_MOVES}) THEN
                RAISE EXCEPTION 'export %: % cannot become %', OLD.id, OLD.status, NEW.status
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'export_legal_move';
            END IF;
            IF OLD.status = 'completed' AND NEW.status = 'cancelled' AND OLD.download_count > 0 THEN
                RAISE EXCEPTION 'export %: a downloaded export cannot be cancelled', OLD.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'export_legal_move';
            END IF;
            IF NEW.attempt <> OLD.attempt + (OLD.status = 'pending' AND NEW.status = 'processing')::int THEN
                RAISE EXCEPTION 'export %: the attempt grows by one with each claim', OLD.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'export_attempt_fences';
            END IF;
            RETURN NEW;
        """,
    ),
    pgtrigger.Trigger(
        name="export_starts_pending",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        condition=~pgtrigger.Q(new__status="pending", new__attempt=0, new__version=1),
        func="""
            RAISE EXCEPTION 'export %: a new export is pending', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'export_starts_pending';
        """,
    ),
    pgtrigger.Trigger(
        name="export_is_audited",
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("status", "sequence"),  # type: ignore[no-untyped-call]
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func="""
            IF (SELECT to_status FROM exports_transition
                WHERE job_id = NEW.id AND sequence = NEW.sequence) IS DISTINCT FROM NEW.status THEN
                RAISE EXCEPTION 'export %: the move to % is not in the audit', NEW.id, NEW.status
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'export_is_audited';
            END IF;
            RETURN NULL;
        """,
    ),
    pgtrigger.Protect(name="export_is_kept", operation=pgtrigger.Delete),
]

TRANSITION_CONSTRAINTS = [
    models.UniqueConstraint(name="transition_sequence_once", fields=["job", "sequence"]),
    models.CheckConstraint(name="transition_status_known", condition=Q(to_status__in=Status.values)),
]

TRANSITION_TRIGGERS = [
    pgtrigger.Protect(name="audit_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
    pgtrigger.Trigger(
        name="audit_has_no_gaps",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        func="""
            IF NEW.sequence <> 1 + COALESCE(
                (SELECT max(sequence) FROM exports_transition WHERE job_id = NEW.job_id), 0) THEN
                RAISE EXCEPTION 'export %: audit row % leaves a gap', NEW.job_id, NEW.sequence
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_has_no_gaps';
            END IF;
            RETURN NEW;
        """,
    ),
]
