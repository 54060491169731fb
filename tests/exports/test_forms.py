"""The form's own rules: what is prefilled, what an unchanged field means, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from exports.forms import ExportForm
from exports.options import ExportOptions, parse
from exports.starting import Scales, Start
from tests.exports.test_views import FORM

IMAGE = "00000000-0000-0000-0000-000000000001"
ONE_SCALE = Scales(least=0.5, most=0.5)


def posted(start: Start | None = None, **changes: Any) -> ExportForm:
    """A form as a browser sends it, with some fields changed."""
    sent = QueryDict(mutable=True)
    for name, value in (FORM | changes).items():
        sent.setlist(name.replace("__", "."), value if isinstance(value, list) else [value])
    return ExportForm(sent, start=start)


def options_of(form: ExportForm) -> dict[str, Any]:
    assert form.is_valid(), form.errors
    return parse(form.options()).as_json()


def test_the_form_opens_with_the_defaults_and_sends_them() -> None:
    form = ExportForm()
    shown = {name: form[name].value() for name in ("annotation_formats", "which_images")}
    assert shown == {"annotation_formats": ["coco", "json"], "which_images": "all"}
    assert options_of(posted()) == ExportOptions().as_json()


def test_the_form_opens_with_what_it_is_given() -> None:
    given = {"annotationFormats": [], "includeDocumentation": False, "visualizationOptions": {"opacity": 0}}
    form = ExportForm(start=Start(options=given))
    names = (
        "annotation_formats",
        "include_documentation",
        "visualization_options__opacity",
        "metrics_formats",
    )
    assert [form[name].value() for name in names] == [[], False, 0, ["excel"]]


@pytest.mark.parametrize("kept", [{"visualizationOptions": None}, {"visualizationOptions": []}, {"x": 1}])
def test_options_of_another_version_open_the_form_too(kept: dict[str, Any]) -> None:
    assert ExportForm(start=Start(options=kept))["visualization_options__font_size"].value() == 32


def test_the_one_scale_of_all_images_is_filled_in_and_unchanged_is_not_sent() -> None:
    field = ExportForm(start=Start(scales=ONE_SCALE))["pixel_to_micrometer_scale"]
    assert (field.value(), field.field.widget.attrs["data-own-scale"]) == (0.5, 0.5)
    assert 'value="0.5"' in str(field)
    unchanged = posted(Start(scales=ONE_SCALE), pixelToMicrometerScale="0.50")
    assert options_of(unchanged)["pixelToMicrometerScale"] is None


def test_another_scale_is_sent_and_an_emptied_field_is_not() -> None:
    start = Start(scales=ONE_SCALE)
    assert options_of(posted(start, pixelToMicrometerScale="0.25"))["pixelToMicrometerScale"] == 0.25
    assert options_of(posted(start, pixelToMicrometerScale=""))["pixelToMicrometerScale"] is None


def test_a_scale_that_was_chosen_before_goes_before_the_images_own() -> None:
    start = Start(options={"pixelToMicrometerScale": 0.25}, scales=ONE_SCALE)
    assert ExportForm(start=start)["pixel_to_micrometer_scale"].value() == 0.25


@pytest.mark.parametrize(
    ("scales", "own", "words"),
    [
        (ONE_SCALE, 0.5, "all images came with"),
        (Scales(0.25, 1.5), None, "0.25 to 1.5 µm"),
        (Scales(0.5, 0.5, unknown=1), None, "1 image has none and is measured in pixels"),
        (Scales(0.5, 0.5, unknown=2000), None, "2,000 images have none"),
        (Scales(0.0002, 0.0002), None, "its own: 0.0002 µm"),
        (Scales(unknown=3), None, "measurements are in pixels"),
        (Scales(), None, "measurements are in pixels"),
    ],
)
def test_the_scale_says_what_the_images_know(scales: Scales, own: float | None, words: str) -> None:
    field = ExportForm(start=Start(scales=scales))["pixel_to_micrometer_scale"]
    assert field.value() == own
    assert words in field.help_text
    assert ("data-own-scale" in str(field)) is (own is not None)


@pytest.mark.parametrize("which", ["selected", None])
def test_a_selection_is_sent(which: str | None) -> None:
    chosen = {} if which is None else {"whichImages": which}
    assert options_of(posted(selectedImageIds=[IMAGE], **chosen))["selectedImageIds"] == [IMAGE]


def test_all_images_are_all_whatever_was_ticked() -> None:
    form = posted(whichImages="all", selectedImageIds=[IMAGE])
    assert options_of(form)["selectedImageIds"] is None


def test_selected_images_without_any_is_refused_at_the_selection() -> None:
    form = posted(whichImages="selected")
    assert list(form.errors) == ["selected_image_ids"]
    assert "at least one image" in form.errors["selected_image_ids"][0]


def test_a_wrong_which_is_refused() -> None:
    assert list(posted(whichImages="some").errors) == ["which_images"]
