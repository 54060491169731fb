"""The manifest's JSON Schema, by jsonschema, over manifests of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from exports.archive.guide.manifest_schema import SCHEMA
from exports.options import ExportOptions
from tests.exports.archive.guide.archives import EVERYTHING, damaged, unpacked
from tests.exports.archive.guide.images import varied

ROOT = Path(__file__).parents[4]

KINDS: dict[str, dict[str, Any]] = {
    "everything": EVERYTHING,
    "defaults": {},
    "one format": {"include_original_images": False, "include_visualizations": False, "metrics_formats": []},
    "a scale and a selection": {
        "pixel_to_micrometer_scale": 0.5,
        "selected_image_ids": ["00000000-0000-0000-0000-000000000001"],
    },
}


def manifest_of(archive: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((archive / "manifest.json").read_bytes())
    return manifest


def complaints(schema: dict[str, Any], manifest: dict[str, Any]) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(manifest)
    ]


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object within the schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from objects_in(inner)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_follows_the_schema_that_lies_beside_it(tmp_path: Path, kind: str) -> None:
    archive = unpacked(tmp_path, varied(tmp_path / "images"), **KINDS[kind])
    schema = json.loads((archive / "documentation/manifest.schema.json").read_bytes())
    assert complaints(schema, manifest_of(archive)) == []


def test_what_was_left_out_and_lost_follows_it_too(tmp_path: Path) -> None:
    images = varied(tmp_path / "images")
    images[0].original.unlink()
    archive = unpacked(tmp_path, images, [damaged(images[1])], **EVERYTHING)
    manifest = manifest_of(archive)
    assert manifest["left_out"]
    assert any(manifest["fidelity"]["lost"].values())
    assert complaints(SCHEMA, manifest) == []


@pytest.mark.parametrize(
    ("breach", "place"),
    [
        (lambda manifest: manifest.update(extra=1), "$"),
        (lambda manifest: manifest.pop("project"), "$"),
        (lambda manifest: manifest["files"][0].update(sha256="0"), "$.files[0].sha256"),
        (lambda manifest: manifest["files"][0].update(bytes=-1), "$.files[0].bytes"),
        (lambda manifest: manifest["counts"]["written"].update(other={}), "$.counts.written"),
        (lambda manifest: manifest["scale"].update(unit="mm"), "$.scale.unit"),
        (lambda manifest: manifest["options"].update(metricsFormats=["doc"]), "$.options.metricsFormats[0]"),
    ],
)
def test_what_does_not_belong_is_refused(
    tmp_path: Path, breach: Callable[[dict[str, Any]], object], place: str
) -> None:
    manifest = manifest_of(unpacked(tmp_path, varied(tmp_path / "images")))
    breach(manifest)
    assert [complaint.split(":")[0] for complaint in complaints(SCHEMA, manifest)] == [place]


def test_no_object_of_the_schema_is_open() -> None:
    assert [each for each in objects_in(SCHEMA) if each.get("additionalProperties") is not False] == []


def test_the_options_are_those_that_a_user_has() -> None:
    options, known = ExportOptions().as_json(), SCHEMA["properties"]["options"]["properties"]
    assert set(known) == set(options)
    style = known["visualizationOptions"]["properties"]
    assert set(style) == set(options["visualizationOptions"])
    assert set(style["polygonColors"]["properties"]) == set(options["visualizationOptions"]["polygonColors"])


def test_every_field_of_the_manifest_is_documented() -> None:
    text = (ROOT / "docs/FORMATS.md").read_text(encoding="utf-8")
    fields = {*SCHEMA["properties"], *SCHEMA["properties"]["left_out"]["items"]["properties"]}
    assert {field for field in fields if f"`{field}" not in text} == set()
