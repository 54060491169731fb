"""What an export would hold, weigh and lose, and whether it can be had at all: nothing is started."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from exports import files
from exports.archive.formats import ANNOTATIONS
from exports.exceptions import InsufficientStorage, InvalidOptions, NothingToExport
from exports.models import ExportJob
from exports.options import ExportOptions
from exports.schemas import Outward, Warning
from projects.models import Image
from projects.templatetags.wording import grouped

# Rough, from the standard projects of the benchmarks.
BYTES_PER_OBJECT = 500  # deflated, in one annotation or metrics format
OVERLAY_BYTES_PER_PIXEL = 0.9
SPREADSHEET_BYTES_PER_OBJECT = 3_000  # of temporary files, while it is packed
SECONDS_PER_IMAGE = 0.06  # until this hub has exports of its own to go by
RESERVE = 64 << 20  # bytes that stay free
WORDS = {
    "holes": ngettext_lazy("%(number)s hole", "%(number)s holes", "count"),
    "parts": ngettext_lazy(
        "%(number)s object of several parts", "%(number)s objects of several parts", "count"
    ),
    "overlaps": ngettext_lazy(
        "%(number)s object that later ones overlap", "%(number)s objects that later ones overlap", "count"
    ),
    "scores": ngettext_lazy("%(number)s score", "%(number)s scores", "count"),
}
"""What each loss is called; `absent` is only known once the objects are drawn."""
COUNTS = {
    "object": "objects",
    "hole": "holes",
    "multipart": "parts",
    "overlap": "overlaps",
    "score": "scores",
}
"""The counts of a Segmentation, and what they are called here."""


class Estimate(Outward):
    images: int
    objects: int
    estimated_bytes: int
    estimated_seconds: int
    free_bytes: int
    warnings: list[Warning]


def estimate(project_id: UUID, options: ExportOptions) -> Estimate:
    """Raise NothingToExport, InvalidOptions (images of elsewhere, too many) or InsufficientStorage."""
    sums = _sums(_selected(project_id, options))
    _refuse(sums["images"], options)
    found = Estimate(
        images=sums["images"],
        objects=sums["objects"],
        estimated_bytes=_bytes(sums, options),
        estimated_seconds=_seconds(sums["images"]),
        free_bytes=files.free_bytes(),
        warnings=_warnings(sums, options),
    )
    if _needed_bytes(found, options) > found.free_bytes:
        raise InsufficientStorage
    return found


def _selected(project_id: UUID, options: ExportOptions) -> QuerySet[Image]:
    images = Image.objects.present().filter(project_id=project_id)
    if options.selected_image_ids is not None:
        images = images.filter(pk__in=options.selected_image_ids)
    return images


def _sums(images: QuerySet[Image]) -> dict[str, int]:
    totals = {name: Coalesce(Sum(f"segmentation__{count}_count"), 0) for count, name in COUNTS.items()}
    return images.aggregate(
        images=Count("pk"),
        bytes=Coalesce(Sum("size"), 0),
        pixels=Coalesce(Sum(F("width") * F("height")), 0),
        **totals,
        empty=Count("pk", filter=Q(segmentation=None) | Q(segmentation__object_count=0)),
        unscaled=Count("pk", filter=Q(pixel_size=None)),
    )


def _refuse(count: int, options: ExportOptions) -> None:
    selected = options.selected_image_ids
    if selected is not None and count != len(selected):
        missing = len(selected) - count
        sentence = ngettext(
            "%(number)s of the selected images is not in this project",
            "%(number)s of the selected images are not in this project",
            missing,
        ) % {"number": grouped(missing)}
        raise InvalidOptions(
            _("%(sentence)s. Reload the page and select again.") % {"sentence": sentence},
            fields={"selectedImageIds": sentence},
        )
    if not count:
        raise NothingToExport
    if count > settings.EXPORT_MAX_IMAGES:
        numbers = {"most": grouped(settings.EXPORT_MAX_IMAGES), "number": grouped(count)}
        sentence = _("select at most %(most)s images; these are %(number)s") % numbers
        raise InvalidOptions(
            _("Too many images: %(sentence)s.") % {"sentence": sentence},
            fields={"selectedImageIds": sentence},
        )


def _bytes(sums: dict[str, int], options: ExportOptions) -> int:
    tables = len(options.annotation_formats) + len(options.metrics_formats)
    originals = sums["bytes"] if options.include_original_images else 0
    overlays = sums["pixels"] * OVERLAY_BYTES_PER_PIXEL if options.include_visualizations else 0
    return round(originals + overlays + tables * BYTES_PER_OBJECT * sums["objects"])


def _needed_bytes(found: Estimate, options: ExportOptions) -> float:
    """The archive, and beside it what its tables need while they grow."""
    spreadsheet = found.objects * SPREADSHEET_BYTES_PER_OBJECT if "excel" in options.metrics_formats else 0
    return found.estimated_bytes * 1.2 + spreadsheet + RESERVE


def _seconds(images: int) -> int:
    learned = ExportJob(image_count=images).estimated_duration
    return max(1, round(images * SECONDS_PER_IMAGE) if learned is None else learned)


def _warnings(sums: dict[str, int], options: ExportOptions) -> list[Warning]:
    found: list[Warning] = []
    for part in ANNOTATIONS:
        lost = [_lost(loss, sums[loss]) for loss in part.losses if loss in WORDS and sums[loss]]
        if part.id in options.annotation_formats and lost:
            words = {"format": _(part.title), "lost": get_text_list(lost, _("and"))}
            found.append(_warning("format_loses", _("%(format)s cannot hold %(lost)s.") % words))
    if sums["empty"]:
        found.append(_warning("images_without_objects", _empty(sums["empty"])))
    if 0 < sums["unscaled"] < sums["images"] and options.pixel_to_micrometer_scale is None:
        found.append(_warning("mixed_scales", _unscaled(sums["unscaled"])))
    return found


def _lost(loss: str, count: int) -> str:
    return WORDS[loss] % {"count": count, "number": grouped(count)}


def _empty(images: int) -> str:
    sentence = ngettext("%(number)s image has no objects.", "%(number)s images have no objects.", images)
    return sentence % {"number": grouped(images)}


def _unscaled(images: int) -> str:
    sentence = ngettext(
        "%(number)s image has no scale: measured in pixels, the others in µm.",
        "%(number)s images have no scale: measured in pixels, the others in µm.",
        images,
    )
    return sentence % {"number": grouped(images)}


def _warning(code: str, message: str) -> Warning:
    return Warning(code=code, message=message)
