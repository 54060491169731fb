"""documentation/manifest.schema.json: the JSON Schema (2020-12) of manifest.json. Nothing but what it names is allowed."""

from __future__ import annotations

from typing import Any

import orjson

from exports.archive.formats import ANNOTATIONS, METRICS, PARTS
from exports.archive.guide import PROGRAM
from exports.archive.guide.formats_guide import LOSSES
from exports.archive.guide.manifest import FORMAT, VERSION
from exports.archive.json_schema import exactly, some_of
from exports.archive.zipping import Entry


def schema_entry() -> Entry:
    return Entry(
        "documentation/manifest.schema.json", orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2) + b"\n"
    )


def _list_of(items: dict[str, Any], **limits: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **limits}


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
_SWITCH = {"type": "boolean"}
_COLOR = {"type": "string", "pattern": "^#[0-9A-F]{6}$"}
_SCALE = {"type": ["number", "null"], "exclusiveMinimum": 0}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_ID = {"type": "string", "format": "uuid"}
_COUNTS = exactly(images=_NUMBER, objects=_NUMBER)
_NOTE = exactly(image_id=_ID, original_name=_TEXT, stage=_TEXT, code=_TEXT, sentence=_TEXT)
_LOST = some_of(**dict.fromkeys(LOSSES, _NUMBER))

_OPTIONS = exactly(
    includeOriginalImages=_SWITCH,
    includeVisualizations=_SWITCH,
    includeDocumentation=_SWITCH,
    annotationFormats=_list_of({"enum": [part.id for part in ANNOTATIONS]}, uniqueItems=True),
    metricsFormats=_list_of({"enum": [part.id for part in METRICS]}, uniqueItems=True),
    includeIntensity=_SWITCH,
    selectedImageIds={"type": ["array", "null"], "items": _ID},
    pixelToMicrometerScale=_SCALE,
    visualizationOptions=exactly(
        showNumbers=_SWITCH,
        polygonColors=exactly(external=_COLOR, internal=_COLOR),
        strokeWidth=_NUMBER,
        fontSize=_NUMBER,
        opacity={"type": "number", "minimum": 0, "maximum": 1},
        format={"enum": ["png", "jpg"]},
    ),
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": f"Manifest of an archive of {PROGRAM}",
    **exactly(
        format={"const": FORMAT},
        version={"const": VERSION},
        program=exactly(name=_TEXT, version=_TEXT),
        project=_TEXT,
        classes=_list_of(_TEXT),
        changed_at={"type": "string", "format": "date-time"},
        options=_OPTIONS,
        scale=exactly(unit={"enum": ["µm", "px", "mixed"]}, override=_SCALE),
        counts=exactly(
            promised=_COUNTS,
            read=_COUNTS,
            written=some_of(**{part.key: _COUNTS for part in PARTS}),
        ),
        fidelity=exactly(
            found=some_of(holes=_NUMBER, parts=_NUMBER, scores=_NUMBER),
            lost=some_of(**{part.key: _LOST for part in PARTS}),
        ),
        left_out=_list_of(_NOTE),
        repaired=_list_of(_NOTE),
        files=_list_of(exactly(path=_TEXT, bytes=_NUMBER, sha256=_SHA256), minItems=1),
    ),
}
