"""E-mails about ended exports: whom to tell of what, and how far that got."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now

from exports.models.jobs import ExportJob, ExportJobQuerySet
from exports.states import Status
from projects.models import Membership

TOLD = (Status.COMPLETED, Status.FAILED)
TOLD_WITHIN = timedelta(days=1)
PAUSES = (timedelta(minutes=5), timedelta(hours=1))
"""After the first try, after the second; the third is the last. Greylisting is over in five minutes."""
MAX_TRIES = 1 + len(PAUSES)


class LetterQuerySet(models.QuerySet["Letter"]):
    def due(self) -> LetterQuerySet:
        """Those to try now, by the database's clock."""
        now = Q(tries=0)
        for tries, pause in enumerate(PAUSES, start=1):
            now |= Q(tries=tries, tried_at__lt=Now() - pause)
        return self.filter(now, sent_at=None)

    def given_up(self) -> LetterQuerySet:
        return self.filter(sent_at=None, tries=MAX_TRIES)


class Letter(models.Model):
    """The one e-mail about how an export ended, and how far it got."""

    job = models.OneToOneField(ExportJob, models.PROTECT, primary_key=True, related_name="letter")
    told = models.CharField(max_length=10)
    """The status that it reports."""
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="letter_tells_an_end", condition=Q(told__in=TOLD)),
            models.CheckConstraint(name="letter_tried_so_often", condition=Q(tries__lte=MAX_TRIES)),
        ]

    def __str__(self) -> str:
        return f"E-mail of {self.job_id}: {self.told}"

    @staticmethod
    @transaction.atomic(durable=True)
    def take_try(job: ExportJob) -> bool:
        """Whether this caller, and no other, is to try now. Committed before the try: no crash gives it back."""
        unwritten = Letter(job_id=job.pk, told=job.status, tried_at=Now())
        Letter.objects.bulk_create([unwritten], ignore_conflicts=True)
        due = Letter.objects.due().filter(pk=job.pk)
        return due.update(tries=F("tries") + 1, tried_at=Now()) == 1


def to_tell() -> ExportJobQuerySet:
    """Exports that have just ended, whose user wants a letter about it and still sees the project; oldest first."""
    is_member = Exists(Membership.objects.filter(user=OuterRef("user"), project=OuterRef("project")))
    ended = ExportJob.objects.annotate(ended_at=Coalesce("completed_at", "failed_at")).filter(
        status__in=TOLD,
        ended_at__gt=Now() - TOLD_WITHIN,
        changed_at__gt=Now() - TOLD_WITHIN,  # follows from the line above, and has an index
    )
    wanted = ended.filter(ended_at__gt=F("user__export_preferences__mail_since")).exclude(user__email="")
    seen = wanted.filter(
        Q(project__owner=F("user")) | is_member, user__is_active=True, project__removed_at=None
    )
    return seen.order_by("ended_at")


def due() -> ExportJobQuerySet:
    """Those of them that wait for their first try, or for the next."""
    return to_tell().filter(Q(letter=None) | Q(letter__in=Letter.objects.due()))


def still_untold(job_id: UUID) -> ExportJob | None:
    """The export as it is now, if its letter still holds and was not sent."""
    unsent = to_tell().filter(pk=job_id, letter__told=F("status"), letter__sent_at=None)
    return unsent.select_related("project", "user__export_preferences").first()
