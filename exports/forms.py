"""The options of an export as a form. What is allowed is decided by `exports.options` alone.

Fields are named by the API's path of their option (`visualizationOptions.strokeWidth`), so that the page's
script can send the same form as JSON, and an error finds its field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from pydantic.alias_generators import to_camel

from exports.archive.formats import ANNOTATIONS, METRICS, Format
from exports.exceptions import InvalidOptions
from exports.options import ExportOptions, parse


class ColorInput(forms.TextInput):
    input_type = "color"


class Chosen(forms.MultipleChoiceField):
    """Whatever was chosen; `exports.options` knows which ids there are."""

    def valid_value(self, value: str) -> bool:
        return True


class ExportForm(forms.Form):
    include_original_images = forms.BooleanField(label="Original images", required=False)
    include_visualizations = forms.BooleanField(label="Overlays", required=False)
    include_documentation = forms.BooleanField(label="Documentation", required=False)
    annotation_formats = Chosen(label="Annotations", required=False)
    metrics_formats = Chosen(label="Measurements", required=False)
    include_intensity = forms.BooleanField(label="Intensities of the objects", required=False)
    selected_image_ids = Chosen(label="Selected images", required=False, widget=forms.MultipleHiddenInput)
    pixel_to_micrometer_scale = forms.FloatField(
        label="Scale, µm per pixel",
        required=False,
        widget=forms.NumberInput(
            {"min": 0.001, "max": 1000, "step": "any", "placeholder": "each image’s own"}
        ),
    )
    visualization_options__show_numbers = forms.BooleanField(label="Number each object", required=False)
    visualization_options__polygon_colors__external = forms.CharField(
        label="Outline colour", widget=ColorInput
    )
    visualization_options__polygon_colors__internal = forms.CharField(label="Hole colour", widget=ColorInput)
    visualization_options__stroke_width = forms.IntegerField(
        label="Line width, px", widget=forms.NumberInput({"min": 1, "max": 20})
    )
    visualization_options__font_size = forms.IntegerField(
        label="Number size, px", widget=forms.NumberInput({"min": 8, "max": 100})
    )
    visualization_options__opacity = forms.FloatField(
        label="Fill opacity", widget=forms.NumberInput({"min": 0, "max": 1, "step": 0.05})
    )
    visualization_options__format = forms.ChoiceField(
        label="Picture format", choices=[("png", "PNG, lossless"), ("jpg", "JPEG, smaller")]
    )

    def add_prefix(self, field_name: str) -> str:
        return ".".join(map(to_camel, field_name.split("__")))

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        given = self.initial.get(field_name)
        return _at(ExportOptions().as_json(), self.add_prefix(field_name)) if given is None else given

    def options(self) -> dict[str, Any]:
        """The choices in the API's spelling and shape; what is left empty takes its default."""
        options: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if value is not None and (value or name != "selected_image_ids"):
                _put(options, self.add_prefix(name), value)
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
            self.add_error(self._field_of(path), sentence[:1].upper() + sentence[1:] + ".")

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


def _at(options: dict[str, Any], path: str) -> Any:
    value: Any = options
    for step in path.split("."):
        value = value[step]
    return value


def _put(options: dict[str, Any], path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        options = options.setdefault(step, {})
    options[last] = value
