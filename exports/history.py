"""Which exports of a history are looked for: a form that works as a link."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from exports.models import ExportJobQuerySet
from exports.states import ACTIVE, Status

GROUPS = {
    "active": ACTIVE,
    "ready": (Status.COMPLETED,),
    "failed": (Status.FAILED,),
    "cancelled": (Status.CANCELLED,),
    "removed": (Status.EXPIRED,),
}


class HistoryForm(forms.Form):
    status = forms.ChoiceField(
        required=False,
        label=_("Status"),
        choices=[
            ("", _("All")),
            ("active", _("Waiting or being built")),
            ("ready", _("Ready to download")),
            ("failed", _("Failed")),
            ("cancelled", _("Cancelled")),
            ("removed", _("File removed")),
        ],
    )
    project = forms.CharField(
        required=False,
        max_length=200,
        label=_("Project"),
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Part of its name")}),
    )

    def found_in(self, jobs: ExportJobQuerySet) -> ExportJobQuerySet:
        """What cannot be looked for (an unknown status in an old link) leaves nothing out."""
        self.full_clean()
        status, name = self.cleaned_data.get("status"), self.cleaned_data.get("project")
        if status:
            jobs = jobs.filter(status__in=GROUPS[status])
        if name:
            jobs = jobs.filter(Q(project_name__icontains=name) | Q(project__name__icontains=name))
        return jobs

    @property
    def is_narrow(self) -> bool:
        return any(self.cleaned_data.values())
