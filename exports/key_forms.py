"""The form of a new key. What is allowed is decided by `exports.keys` alone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exports import keys
from exports.exceptions import InvalidOptions
from exports.models import KeyScope
from exports.models.keys import MAX_KEY_NAME

NEVER = "never"
SCOPES = [
    (KeyScope.READ, _("Read: look at projects, images and exports")),
    (KeyScope.EXPORT, _("Export: also start, cancel, download and delete exports")),
]


class KeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_KEY_NAME,
        widget=forms.TextInput({"autocomplete": "off", "aria-describedby": "id_name_about id_name_error"}),
    )
    scope = forms.ChoiceField(
        label=_("What it may do"), choices=SCOPES, initial=KeyScope.READ, widget=forms.RadioSelect
    )
    days = forms.ChoiceField(
        label=_("Valid for"),
        choices=[
            ("30", _("30 days")),
            ("90", _("90 days")),
            ("365", _("One year")),
            (NEVER, _("Until it is revoked")),
        ],
        initial=str(keys.DEFAULT_DAYS),
    )

    def wanted(self) -> keys.Wanted:
        given: dict[str, Any] = self.cleaned_data
        days = None if given["days"] == NEVER else int(given["days"])
        return keys.Wanted(given["name"], given["scope"], days)

    def refuse(self, refusal: InvalidOptions) -> None:
        """Show each sentence at its field."""
        sentences: dict[str, str] = refusal.details.get("fields", {})  # type: ignore[assignment]
        for field, sentence in sentences.items():
            self.add_error(field, sentence)
