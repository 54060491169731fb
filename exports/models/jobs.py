"""Jobs, their audit, and the list of what each one exports."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import SuspiciousFileOperation
from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Now
from django.utils.text import get_valid_filename

from exports import rules
from exports.states import ACTIVE, ENDED, CancelReason, Status
from projects.models import EXPORTING, Project, Visitor

STUCK_AFTER = timedelta(minutes=5)  # a cancelled export should have left nothing behind by then
RECENT = 20  # exports that an estimate of duration looks back at


class ExportJobQuerySet(models.QuerySet["ExportJob"]):
    def visible_to(self, user: Visitor) -> ExportJobQuerySet:
        """A user's own jobs, and all jobs of the projects they own, as far as they still see the project."""
        return self.filter(
            Q(user_id=user.pk) | Q(project__owner_id=user.pk), project__in=Project.objects.visible_to(user)
        )

    def active(self) -> ExportJobQuerySet:
        return self.filter(status__in=ACTIVE)

    def forgotten(self, after: timedelta) -> ExportJobQuerySet:
        """Waiting jobs whose bell was not rung, or was rung longer than `after` ago without a claim."""
        return self.filter(Q(rung_at=None) | Q(rung_at__lt=Now() - after), status=Status.PENDING)

    def abandoned(self, after: timedelta) -> ExportJobQuerySet:
        """Jobs under way that have not been heard of for `after`, by the database's clock."""
        return self.filter(status=Status.PROCESSING, heartbeat_at__lt=Now() - after)

    def overlong(self, limit: timedelta) -> ExportJobQuerySet:
        """Jobs under way, in this attempt, for longer than `limit`."""
        return self.filter(status=Status.PROCESSING, started_at__lt=Now() - limit)

    def past_retention(self) -> ExportJobQuerySet:
        return self.filter(status=Status.COMPLETED, expires_at__lt=Now())

    def uncleaned(self) -> ExportJobQuerySet:
        """Ended jobs whose files nobody has confirmed removed."""
        return self.filter(status__in=ENDED, cleaned_at=None)

    def with_access(self) -> ExportJobQuerySet:
        """Jobs whose user is active and may still export the project, which was not removed."""
        exporting = Q(project__memberships__user=F("user"), project__memberships__role__in=EXPORTING)
        return self.filter(
            Q(project__owner=F("user")) | exporting, user__is_active=True, project__removed_at=None
        )

    def without_access(self) -> ExportJobQuerySet:
        """Active jobs whose user may no longer export the project, or whose project was removed."""
        return self.active().exclude(pk__in=ExportJob.objects.with_access().values("pk"))

    def unreachable(self) -> ExportJobQuerySet:
        """Archives that nobody can fetch any more: their project was removed."""
        return self.filter(status=Status.COMPLETED, project__removed_at__isnull=False)

    def stuck(self) -> ExportJobQuerySet:
        """Cancelled longer than STUCK_AFTER ago, and not all of its files seen to be gone."""
        return self.uncleaned().filter(status=Status.CANCELLED, cancelled_at__lt=Now() - STUCK_AFTER)

    def with_queue_position(self) -> ExportJobQuerySet:
        """With `place`: 1 for the next to be claimed, None for those that do not wait."""
        waiting = ExportJob.objects.filter(status=Status.PENDING).order_by()
        before = waiting.filter(created_at__lte=OuterRef("created_at"))
        counted = before.annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
        return self.annotate(place=Case(When(status=Status.PENDING, then=Subquery(counted)), default=None))


class ExportJob(models.Model):
    """One requested archive of a project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="export_jobs")
    project_name = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="export_jobs")
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="retries")

    options = models.JSONField()
    options_digest = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001  (absent is not empty)
    request_digest = models.CharField(max_length=64)
    """SHA-256 of project, options and name: what an Idempotency-Key was used for."""

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    version = models.PositiveBigIntegerField(default=1)
    """Grows with every change of the row; the ordering of all events and answers."""
    sequence = models.PositiveIntegerField(default=0)
    """The number of audit rows."""
    attempt = models.PositiveIntegerField(default=0)
    """The fencing token: each claim raises it."""
    losses = models.PositiveIntegerField(default=0)
    """Attempts that ended because their worker was lost."""
    dispatch = models.PositiveIntegerField(default=0)
    """How often the bell was rung; part of the RQ job's id."""
    rung_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)

    progress = models.FloatField(default=0)
    stage = models.CharField(max_length=40, blank=True)
    stage_done = models.PositiveIntegerField(default=0)
    stage_total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    warnings = models.JSONField(default=list)
    image_count = models.PositiveIntegerField(default=0)

    file_name = models.CharField(max_length=120, null=True)  # noqa: DJ001
    file_size = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, null=True)  # noqa: DJ001
    download_count = models.PositiveIntegerField(default=0)
    auto_download_claimed = models.BooleanField(default=False)

    cancel_reason = models.CharField(max_length=20, choices=CancelReason.choices, null=True)  # noqa: DJ001
    error = models.CharField(max_length=500, null=True)  # noqa: DJ001
    error_code = models.CharField(max_length=40, null=True)  # noqa: DJ001
    retryable = models.BooleanField(null=True)
    bytes_freed = models.PositiveBigIntegerField(null=True)

    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    cleaned_at = models.DateTimeField(null=True)
    """When everything that an ended job left on disk was seen to be gone."""

    objects = ExportJobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("cancel_exportjob", "Can cancel exports of others"),
            ("retry_exportjob", "Can try exports of others again"),
            ("expire_exportjob", "Can delete the files of exports of others"),
            ("clean_exportjob", "Can clean up after exports of others"),
        ]
        constraints = rules.JOB_CONSTRAINTS
        indexes = rules.JOB_INDEXES
        triggers = rules.JOB_TRIGGERS

    def __str__(self) -> str:
        return f"Export {self.pk} of {self.project_name}: {self.status}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_cancellable(self) -> bool:
        """A completed export can be cancelled until its first download."""
        return self.is_active or (self.status == Status.COMPLETED and not self.download_count)

    @property
    def is_downloadable(self) -> bool:
        return self.status == Status.COMPLETED

    @property
    def processing_time(self) -> int | None:
        """Milliseconds from the last claim to completion."""
        if self.completed_at is None or self.started_at is None:
            return None
        return round((self.completed_at - self.started_at).total_seconds() * 1000)

    @property
    def download_name(self) -> str:
        """The name that a browser saves it under."""
        return f"{_file_stem(self.project_name)}_{self.created_at:%Y-%m-%d_%H%M}.zip"

    @property
    def queue_position(self) -> int | None:
        """1 for the next to be claimed; None unless waiting. A query, unless `with_queue_position` made it."""
        if self.status != Status.PENDING:
            return None
        if "place" in self.__dict__:
            return cast("int | None", self.__dict__["place"])
        return ExportJob.objects.filter(status=Status.PENDING, created_at__lte=self.created_at).count()

    @property
    def estimated_remaining(self) -> int | None:
        """Seconds to the end at the rate so far; None until there is a rate."""
        if self.status != Status.PROCESSING or self.started_at is None or self.progress < 1:
            return None
        elapsed = (self.changed_at - self.started_at).total_seconds()
        return max(0, round(elapsed * (100 - self.progress) / self.progress))

    @property
    def estimated_duration(self) -> int | None:
        """Seconds that it will take at the rate of recent exports; None when there are none."""
        recent = ExportJob.objects.filter(completed_at__isnull=False, image_count__gt=0)
        rows = recent.order_by("-completed_at").values_list("started_at", "completed_at", "image_count")[
            :RECENT
        ]
        images = sum(count for _, _, count in rows)
        seconds = sum((end - start).total_seconds() for start, end, _ in rows if start and end)
        return round(self.image_count * seconds / images) if images else None


class Transition(models.Model):
    """The audit of a job: one row a move, never changed or deleted; together they replay to its state."""

    job = models.ForeignKey(ExportJob, models.PROTECT, related_name="transitions")
    sequence = models.PositiveIntegerField()
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    reason = models.CharField(max_length=40)
    actor = models.CharField(max_length=160)
    """`user:<id>`, `worker`, `scheduler` or `system`."""
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["job", "sequence"]
        constraints = rules.TRANSITION_CONSTRAINTS
        triggers = rules.TRANSITION_TRIGGERS

    def __str__(self) -> str:
        return f"{self.sequence}: {self.from_status or 'nothing'} to {self.to_status}"


class Snapshot(models.Model):
    """What an attempt exports: one moment of the project, listed in the statement of its claim.

    The arrays run in parallel, by name, then id. Nothing that they list is removed while the job is active.
    """

    job = models.OneToOneField(ExportJob, models.PROTECT, primary_key=True, related_name="snapshot")
    attempt = models.PositiveIntegerField()
    taken_at = models.DateTimeField()
    image_ids = ArrayField(models.UUIDField())
    segmentation_ids = ArrayField(models.UUIDField(null=True))
    names = ArrayField(models.CharField(max_length=255))
    pixel_sizes = ArrayField(models.FloatField(null=True))

    def __str__(self) -> str:
        return f"{len(self.image_ids)} images of {self.job_id}"


def _file_stem(project_name: str) -> str:
    try:
        return get_valid_filename(project_name)[:100].strip("._-") or "export"
    except SuspiciousFileOperation:  # not a letter in it
        return "export"
