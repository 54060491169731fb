"""What a user may choose: one definition for the page, the API, the worker and the manifest."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

from exports.archive.formats import ANNOTATIONS, METRICS
from exports.exceptions import InvalidOptions

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_SELECTED = 100_000
LEAST_SCALE, MOST_SCALE = 0.001, 1000  # µm per pixel


def _of(known: tuple[str, ...]) -> Any:
    return Field(json_schema_extra={"items": {"type": "string", "enum": list(known)}})


def _known(sentence: _StrPromise, known: tuple[str, ...]) -> AfterValidator:
    def check(chosen: list[str]) -> list[str]:
        unknown = [each for each in chosen if each not in known]
        if unknown:
            raise ValueError(sentence % {"unknown": ", ".join(map(repr, unknown)), "known": ", ".join(known)})
        return [each for each in known if each in chosen]

    return AfterValidator(check)


def _a_number(given: object) -> object:
    """As JSON has it: neither a text that reads like one, nor true."""
    if isinstance(given, str | bool):
        raise PydanticKnownError("float_type")
    return given


def _listed_once(chosen: list[UUID] | None) -> list[UUID] | None:
    return None if chosen is None else sorted(set(chosen))


ANNOTATION_IDS = tuple(part.id for part in ANNOTATIONS)
METRICS_IDS = tuple(part.id for part in METRICS)
_UNKNOWN_ANNOTATION = gettext_lazy("unknown annotation format %(unknown)s; choose from %(known)s")
_UNKNOWN_METRICS = gettext_lazy("unknown metrics format %(unknown)s; choose from %(known)s")
AnnotationFormats = Annotated[list[str], _of(ANNOTATION_IDS), _known(_UNKNOWN_ANNOTATION, ANNOTATION_IDS)]
MetricsFormats = Annotated[list[str], _of(METRICS_IDS), _known(_UNKNOWN_METRICS, METRICS_IDS)]
ImageIds = Annotated[list[UUID], Field(min_length=1, max_length=MAX_SELECTED)]
Selection = Annotated[ImageIds | None, AfterValidator(_listed_once)]
A_NUMBER = BeforeValidator(_a_number)  # after the bounds, or they are missing in the JSON Schema
Scale = Annotated[float, Field(ge=LEAST_SCALE, le=MOST_SCALE), A_NUMBER]
Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$"), AfterValidator(str.upper)]


_NOTHING: dict[str, Any] = {
    "required": ["includeOriginalImages", "includeVisualizations", "annotationFormats", "metricsFormats"],
    "properties": {
        "includeOriginalImages": {"const": False},
        "includeVisualizations": {"const": False},
        "annotationFormats": {"maxItems": 0},
        "metricsFormats": {"maxItems": 0},
    },
}
"""The schema of `asks_for_nothing`, which `parse` refuses."""


class _Strict(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, allow_inf_nan=False
    )


class PolygonColors(_Strict):
    external: Color = "#FF0000"
    internal: Color = "#0000FF"


class VisualizationOptions(_Strict):
    show_numbers: StrictBool = True
    polygon_colors: PolygonColors = PolygonColors()
    stroke_width: Annotated[int, Field(ge=1, le=20), A_NUMBER] = 2
    font_size: Annotated[int, Field(ge=8, le=100), A_NUMBER] = 32
    opacity: Annotated[float, Field(ge=0, le=1), A_NUMBER] = 0.3
    format: Literal["png", "jpg"] = "png"


class ExportOptions(_Strict):
    model_config = ConfigDict(json_schema_extra={"not": _NOTHING})

    include_original_images: StrictBool = True
    include_visualizations: StrictBool = True
    include_documentation: StrictBool = True
    annotation_formats: AnnotationFormats = ["coco", "json"]
    metrics_formats: MetricsFormats = ["excel"]
    include_intensity: StrictBool = False
    selected_image_ids: Selection = None
    pixel_to_micrometer_scale: Scale | None = None
    """µm per pixel for all images; None takes each image's own."""
    visualization_options: VisualizationOptions = VisualizationOptions()

    @property
    def asks_for_nothing(self) -> bool:
        wanted = (self.include_original_images, self.include_visualizations)
        return not any(wanted) and not self.annotation_formats and not self.metrics_formats

    @property
    def measures_intensity(self) -> bool:
        """Whether they are asked for, and a part that holds measurements too."""
        return self.include_intensity and bool(self.metrics_formats or "geojson" in self.annotation_formats)

    def as_json(self) -> dict[str, Any]:
        """In the API's spelling, every default written out."""
        return self.model_dump(mode="json", by_alias=True)

    def digest(self) -> str:
        """SHA-256: equal for equal choices, whatever the order and spelling they came in."""
        canonical = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def parse(raw: object) -> ExportOptions:
    """Raise InvalidOptions with `fields`, a sentence for each wrong one."""
    options = _validated(raw)
    if options.asks_for_nothing:
        sentence = _("choose at least one of images, overlays, annotations or measurements")
        raise InvalidOptions(
            _("There is nothing to export: %(sentence)s.") % {"sentence": sentence},
            fields={"includeOriginalImages": sentence},
        )
    return options


def parse_style(raw: str | bytes) -> VisualizationOptions:
    """From the JSON of `visualizationOptions` alone. Raise InvalidOptions as `parse` does."""
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        given = raw
    return _validated({"visualizationOptions": given}).visualization_options


def _validated(raw: object) -> ExportOptions:
    try:
        return ExportOptions.model_validate(raw)
    except ValidationError as error:
        fields = {_path(each["loc"]): _sentence(each) for each in error.errors()}
        listed = "; ".join(f"{name}: {sentence}" for name, sentence in fields.items())
        sentence = _("These options cannot be used. %(listed)s.") % {"listed": listed}
        raise InvalidOptions(sentence, fields=fields) from error


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "options"


# By pydantic's type of the error; what is missing here speaks for itself.
_SENTENCES = {
    "extra_forbidden": gettext_lazy("is not an option"),
    "greater_than_equal": gettext_lazy("must be at least %(ge)g"),
    "less_than_equal": gettext_lazy("must be at most %(le)g"),
    "string_pattern_mismatch": gettext_lazy("must be a colour such as #FF0000"),
    "literal_error": gettext_lazy("must be %(expected)s"),
    "bool_parsing": gettext_lazy("must be true or false"),
    "bool_type": gettext_lazy("must be true or false"),
    "int_parsing": gettext_lazy("must be a whole number"),
    "int_type": gettext_lazy("must be a whole number"),
    "int_from_float": gettext_lazy("must be a whole number"),
    "float_parsing": gettext_lazy("must be a number"),
    "float_type": gettext_lazy("must be a number"),
    "finite_number": gettext_lazy("must be a number"),
    "uuid_parsing": gettext_lazy("must be the id of an image"),
    "uuid_type": gettext_lazy("must be the id of an image"),
    "list_type": gettext_lazy("must be a list"),
    "too_short": gettext_lazy("select at least one image, or leave it out to export all"),
    "too_long": gettext_lazy("may have at most %(max_length)s entries"),
    "model_type": gettext_lazy("must be a JSON object with options"),
}


def _sentence(error: Any) -> str:
    known = _SENTENCES.get(error["type"])
    if known is None:
        return str(error.get("ctx", {}).get("error") or error["msg"].lower())
    return known % (error.get("ctx") or {})
