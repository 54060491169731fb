"""What the list says of an export, a cell each."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exports.models import ExportJob
from projects.templatetags.wording import in_file_size, in_time

SHOWN_DIGITS = 8


@admin.display(description=_("Number"))
def short_id(job: ExportJob) -> SafeString:
    address = reverse("admin:exports_exportjob_change", args=[job.pk])
    return format_html('<a href="{}"><code>{}</code></a>', address, str(job.pk)[:SHOWN_DIGITS])


@admin.display(description=_("Project"))
def project(job: ExportJob) -> SafeString:
    """By the name that the archive has, which is the project's when none was given."""
    address = reverse("admin:projects_project_change", args=[job.project_id])
    return format_html('<a class="name" href="{}">{}</a>', address, job.project_name)


@admin.display(description=_("User"))
def user(job: ExportJob) -> SafeString:
    address = reverse("admin:auth_user_change", args=[job.user_id])
    return format_html('<a class="name" href="{}">{}</a>', address, job.user.username)


@admin.display(description=_("Status"))
def status(job: ExportJob) -> SafeString:
    return format_html('<span class="status status-{}">{}</span>', job.status, job.get_status_display())


@admin.display(description=_("Progress"))
def progress(job: ExportJob) -> SafeString:
    percent = int(job.progress)
    label = gettext("Progress of the export %(id)s") % {"id": str(job.pk)[:SHOWN_DIGITS]}
    bar = '<progress max="100" value="{}" aria-label="{}"></progress> <span class="percent">{}%</span>'
    return format_html(bar, percent, label, percent)


@admin.display(description=_("Created (UTC)"))
def created(job: ExportJob) -> SafeString:
    moment = job.created_at.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S}")


@admin.display(description=_("Duration"))
def duration(job: ExportJob) -> str:
    """From the request to the end; of one under way, so far."""
    end = ended_at(job)
    seconds = ((end or timezone.now()) - job.created_at).total_seconds()
    return in_time(seconds) if end else gettext("for %(time)s so far") % {"time": in_time(max(0, seconds))}


@admin.display(description=_("Size"))
def size(job: ExportJob) -> str:
    return "–" if job.file_size is None else in_file_size(job.file_size)


def ended_at(job: ExportJob) -> datetime | None:
    return job.completed_at or job.failed_at or job.cancelled_at


COLUMNS = (short_id, project, user, status, progress, "attempt", created, duration, size)
