"""Exports, their audit, and what an administrator may do to them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from exports import lifecycle
from exports.exceptions import ExportError
from exports.models import ExportJob, Transition
from exports.states import CancelReason
from projects.admin import ReadOnly


class TransitionInline(ReadOnly, admin.TabularInline[Transition, ExportJob]):
    model = Transition
    fields = ("sequence", "from_status", "to_status", "reason", "actor", "attempt", "at")
    readonly_fields = fields
    ordering = ("sequence",)


@admin.register(ExportJob)
class ExportJobAdmin(ReadOnly, admin.ModelAdmin[ExportJob]):
    list_display = ("id", "project_name", "user", "status", "progress", "attempt", "created_at", "file_size")
    list_filter = ("status", "cancel_reason", "error_code")
    list_select_related = ("user",)
    search_fields = ("=id", "user__username", "project_name")
    show_full_result_count = False
    inlines = (TransitionInline,)
    actions = ("cancel_selected",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("exports.change_exportjob")

    @admin.action(description="Cancel selected exports", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, jobs: QuerySet[ExportJob]) -> None:
        """One after the other: what cannot be cancelled is named, and does not keep the others."""
        for job in jobs:
            try:
                lifecycle.cancel(job.pk, f"user:{request.user.pk}", CancelReason.SYSTEM)
                self.message_user(request, f"Cancelled the export {job.pk}.", messages.SUCCESS)
            except ExportError as refusal:
                self.message_user(request, f"{job.pk}: {refusal.sentence}", messages.WARNING)
