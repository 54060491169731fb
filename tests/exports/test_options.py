"""One definition of what may be chosen; a wrong choice is named in words."""

from __future__ import annotations

from typing import Any

import pytest

from exports import options
from exports.exceptions import InvalidOptions
from exports.options import ExportOptions, parse


def test_the_defaults_are_the_contracts() -> None:
    assert parse({}).as_json() == {
        "includeOriginalImages": True,
        "includeVisualizations": True,
        "includeDocumentation": True,
        "annotationFormats": ["coco", "json"],
        "metricsFormats": ["excel"],
        "includeIntensity": False,
        "selectedImageIds": None,
        "pixelToMicrometerScale": None,
        "visualizationOptions": {
            "showNumbers": True,
            "polygonColors": {"external": "#FF0000", "internal": "#0000FF"},
            "strokeWidth": 2,
            "fontSize": 32,
            "opacity": 0.3,
            "format": "png",
        },
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"pixelToMicrometerScale": 2000}, "pixelToMicrometerScale: must be at most 1000"),
        ({"pixelToMicrometerScale": 0}, "pixelToMicrometerScale: must be at least 0.001"),
        ({"pixelToMicrometerScale": -1}, "pixelToMicrometerScale: must be at least 0.001"),
        ({"pixelToMicrometerScale": 1e9}, "pixelToMicrometerScale: must be at most 1000"),
        ({"pixelToMicrometerScale": float("nan")}, "pixelToMicrometerScale: must be a number"),
        ({"pixelToMicrometerScale": float("-inf")}, "pixelToMicrometerScale: must be a number"),
        ({"pixelToMicrometerScale": "wide"}, "pixelToMicrometerScale: must be a number"),
        ({"colour": 1}, "colour: is not an option"),
        ({"annotationFormats": ["voc"]}, "annotationFormats: unknown annotation format 'voc'; choose from coco, yolo, json, cvat, imagej, geojson, masks, cellpose"),
        ({"visualizationOptions": {"format": "gif"}}, "visualizationOptions.format: must be 'png' or 'jpg'"),
        ({"visualizationOptions": {"strokeWidth": 1.5}}, "must be a whole number"),
        ({"visualizationOptions": {"opacity": "much"}}, "must be a number"),
        ({"includeDocumentation": "perhaps"}, "includeDocumentation: must be true or false"),
        ({"selectedImageIds": "all"}, "selectedImageIds: must be a list"),
        ({"selectedImageIds": ["1"]}, "selectedImageIds.0: must be the id of an image"),
        ("everything", "options: must be a JSON object with options"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_said_in_words(wrong: Any, sentence: str) -> None:
    with pytest.raises(InvalidOptions) as refusal:
        parse(wrong)

    assert sentence in refusal.value.sentence


def test_equal_choices_have_one_digest() -> None:
    spelled = {"metricsFormats": ["csv", "excel", "csv"], "visualizationOptions": {"polygonColors": {}}}

    assert parse(spelled).digest() == parse({"metricsFormats": ["excel", "csv"]}).digest()


def test_other_choices_have_another_digest() -> None:
    assert parse({}).digest() != parse({"includeDocumentation": False}).digest()


def test_what_was_stored_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = parse({"pixelToMicrometerScale": 0.5, "metricsFormats": []})

    assert ExportOptions.model_validate(chosen.as_json()) == chosen


def test_too_many_selected_images_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [f"00000000-0000-0000-0000-{number:012d}" for number in range(options.MAX_SELECTED + 1)]

    with pytest.raises(InvalidOptions, match="at most 100000 entries"):
        parse({"selectedImageIds": listed})
