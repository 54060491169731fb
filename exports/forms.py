"""The options of an export as a form. What is allowed is decided by `exports.options` alone.

Fields are named by the API's path of their option (`visualizationOptions.strokeWidth`), so that the page's
script can send the same form as JSON, and an error finds its field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic.alias_generators import to_camel

from exports.archive.formats import ANNOTATIONS, METRICS, Format
from exports.exceptions import InvalidOptions
from exports.models import Preferences
from exports.models.choices import MAX_PRESET_NAME
from exports.options import LEAST_SCALE, MOST_SCALE, ExportOptions, parse
from exports.presets import Wanted
from exports.starting import Start


class ColorInput(forms.TextInput):
    input_type = "color"


class Chosen(forms.MultipleChoiceField):
    """Whatever was chosen; `exports.options` knows which ids there are."""

    def valid_value(self, value: str) -> bool:
        return True


class Which(models.TextChoices):
    """What `whichImages` of the form may be; it is no option: the API says it by `selectedImageIds` alone."""

    ALL = "all", _("All images")
    SELECTED = "selected", _("Only selected images")


class ExportForm(forms.Form):
    which_images = forms.ChoiceField(
        label=_("Which images"), choices=Which.choices, required=False, widget=forms.RadioSelect
    )
    include_original_images = forms.BooleanField(label=_("Original images"), required=False)
    include_visualizations = forms.BooleanField(label=_("Overlays"), required=False)
    include_documentation = forms.BooleanField(label=_("Documentation"), required=False)
    annotation_formats = Chosen(label=_("Annotations"), required=False)
    metrics_formats = Chosen(label=_("Measurements"), required=False)
    include_intensity = forms.BooleanField(label=_("Intensities of the objects"), required=False)
    selected_image_ids = Chosen(label=_("Selected images"), required=False, widget=forms.MultipleHiddenInput)
    pixel_to_micrometer_scale = forms.FloatField(
        label=_("Scale, µm per pixel"),
        required=False,
        widget=forms.NumberInput({"min": LEAST_SCALE, "max": MOST_SCALE, "step": "any"}),
    )
    visualization_options__show_numbers = forms.BooleanField(label=_("Number each object"), required=False)
    visualization_options__polygon_colors__external = forms.CharField(
        label=_("Outline colour"), widget=ColorInput
    )
    visualization_options__polygon_colors__internal = forms.CharField(
        label=_("Hole colour"), widget=ColorInput
    )
    visualization_options__stroke_width = forms.IntegerField(
        label=_("Line width, px"), widget=forms.NumberInput({"min": 1, "max": 20})
    )
    visualization_options__font_size = forms.IntegerField(
        label=_("Number size, px"), widget=forms.NumberInput({"min": 8, "max": 100})
    )
    visualization_options__opacity = forms.FloatField(
        label=_("Fill opacity"), widget=forms.NumberInput({"min": 0, "max": 1, "step": 0.05})
    )
    visualization_options__format = forms.ChoiceField(
        label=_("Picture format"), choices=[("png", _("PNG, lossless")), ("jpg", _("JPEG, smaller"))]
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, start: Start | None = None, **options: Any
    ) -> None:
        """Without a `start` it opens with the defaults."""
        super().__init__(data, **options)
        self.start = start or Start()
        own = self.start.scales.own
        if own is not None:
            self.fields["pixel_to_micrometer_scale"].widget.attrs["data-own-scale"] = own
        self.fields["pixel_to_micrometer_scale"].help_text = self.start.scales.sentence

    def add_prefix(self, field_name: str) -> str:
        return ".".join(map(to_camel, field_name.split("__")))

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == "which_images":
            return Which.SELECTED if self.start.had_selection else Which.ALL
        given = _at(self.start.options, self.add_prefix(field_name))
        if given is None and field_name == "pixel_to_micrometer_scale":
            return self.start.scales.own
        return _at(ExportOptions().as_json(), self.add_prefix(field_name)) if given is None else given

    def options(self) -> dict[str, Any]:
        """The choices in the API's spelling and shape; what is left empty takes its default."""
        options: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if value is not None and name not in ("which_images", "selected_image_ids"):
                _put(options, self.add_prefix(name), value)
        if options.get("pixelToMicrometerScale") == self.start.scales.own:
            options.pop("pixelToMicrometerScale", None)
        # Who wants selected images only, and selects none, is refused: nobody means all by that.
        which, selected = self.cleaned_data.get("which_images"), self.cleaned_data.get("selected_image_ids")
        if which != Which.ALL and (selected or which == Which.SELECTED):
            options["selectedImageIds"] = selected
        return options

    def clean(self) -> dict[str, Any]:
        try:
            parse(self.options())
        except InvalidOptions as refusal:
            self.refuse(refusal)
        return self.cleaned_data

    def refuse(self, refusal: InvalidOptions) -> None:
        """Show each sentence at its field."""
        sentences: dict[str, str] = refusal.details.get("fields", {})  # type: ignore[assignment]
        for path, sentence in sentences.items():
            whole = gettext("%(sentence)s.") % {"sentence": sentence[:1].upper() + sentence[1:]}
            self.add_error(self._field_of(path), whole)

    def annotations(self) -> Iterator[tuple[Format, bool]]:
        return self._offered("annotation_formats", ANNOTATIONS)

    def metrics(self) -> Iterator[tuple[Format, bool]]:
        return self._offered("metrics_formats", METRICS)

    def style_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("visualization_options__")]

    def _offered(self, name: str, formats: tuple[Format, ...]) -> Iterator[tuple[Format, bool]]:
        """Each format with whether it is chosen."""
        chosen = self[name].value() or []
        return ((each, each.id in chosen) for each in formats)

    def _field_of(self, path: str) -> str | None:
        return next(
            (name for name in self.fields if (path + ".").startswith(self.add_prefix(name) + ".")), None
        )


class PresetForm(forms.Form):
    """The name of a preset, and whose it is to be; its options come along."""

    name = forms.CharField(label=_("Name"), max_length=MAX_PRESET_NAME)
    shared = forms.ChoiceField(
        label=_("For whom"),
        choices=[
            ("", _("For me, in all projects")),
            ("project", _("For everybody who may export this project")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    options = forms.JSONField(widget=forms.HiddenInput)

    def wanted(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(name=given["name"], is_shared=bool(given["shared"]), options=given["options"])


def _described(name: str) -> forms.CheckboxInput:
    return forms.CheckboxInput({"aria-describedby": f"id_{name}_about"})


class PreferencesForm(forms.Form):
    download_when_ready = forms.BooleanField(
        label=_("Download when ready"), required=False, widget=_described("download_when_ready")
    )
    mail_when_ended = forms.BooleanField(
        label=_("E-mail me when an export ends"), required=False, widget=_described("mail_when_ended")
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("As the browser says")), *settings.LANGUAGES], required=False
    )

    @staticmethod
    def of(kept: Preferences) -> dict[str, Any]:
        """What it opens with."""
        return {
            "download_when_ready": kept.download_when_ready,
            "mail_when_ended": kept.mail_since is not None,
            "language": kept.language,
        }


def _at(options: Any, path: str) -> Any:
    """None for what is not there: kept options may be older than an option."""
    for step in path.split("."):
        options = options.get(step) if isinstance(options, dict) else None
    return options


def _put(options: dict[str, Any], path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        options = options.setdefault(step, {})
    options[last] = value
