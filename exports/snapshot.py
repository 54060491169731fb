"""Rows to values, of one moment: the only reader of the projects' tables for archives.

Segmentations and files never change, and images stay while an active export lists them. So the list that
`record` makes in one statement is enough to read everything later without an open transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import numpy as np
from django.db import connection

from exports.archive import dataset as archive
from exports.archive.dataset import DamagedObjects, Dataset, LeftOut, Objects, Style
from exports.archive.intensity import MAX_CHANNELS
from exports.archive.naming import Names
from exports.models import ExportJob, Snapshot
from exports.options import ExportOptions, VisualizationOptions
from imagefiles.headers import UnreadableImage
from projects.models import Image, Segmentation
from projects.outlines import DamagedOutlines, Outlines

BATCH = 50  # images whose outlines are in memory at once

_RECORD = """
    INSERT INTO exports_snapshot (job_id, attempt, taken_at, image_ids, segmentation_ids, names, pixel_sizes)
    SELECT %(job)s, %(attempt)s, %(now)s,
        coalesce(array_agg(id ORDER BY name COLLATE "C", id), '{}'),
        coalesce(array_agg(segmentation_id ORDER BY name COLLATE "C", id), '{}'),
        coalesce(array_agg(name ORDER BY name COLLATE "C", id), '{}'),
        coalesce(array_agg(pixel_size ORDER BY name COLLATE "C", id), '{}')
    FROM projects_image
    WHERE project_id = %(project)s AND removed_at IS NULL
        AND (%(selected)s::uuid[] IS NULL OR id = ANY(%(selected)s::uuid[]))
    ON CONFLICT (job_id) DO UPDATE SET attempt = excluded.attempt, taken_at = excluded.taken_at,
        image_ids = excluded.image_ids, segmentation_ids = excluded.segmentation_ids,
        names = excluded.names, pixel_sizes = excluded.pixel_sizes
    RETURNING cardinality(image_ids)
"""


def record(job: ExportJob, now: datetime) -> int:
    """List what `job` exports, in the statement of its claim; the number of images."""
    parameters = {
        "job": job.pk,
        "attempt": job.attempt,
        "now": now,
        "project": job.project_id,
        "selected": job.options.get("selectedImageIds"),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, parameters)
        return int(cursor.fetchone()[0])


@dataclass(frozen=True)
class Item:
    """One listed image. With a `fault` it has no usable objects, or, without an image, no row at all."""

    image: archive.Image | None
    fault: LeftOut | None = None


_SUMMARY = """
    SELECT
        (SELECT coalesce(sum(object_count), 0) FROM projects_segmentation WHERE id = ANY(%(versions)s)),
        (SELECT coalesce(array_agg(DISTINCT name ORDER BY name), '{}')
            FROM projects_segmentation, unnest(class_names) AS name WHERE id = ANY(%(versions)s)),
        greatest(
            (SELECT max(created_at) FROM projects_segmentation WHERE id = ANY(%(versions)s)),
            (SELECT max(created_at) FROM projects_image WHERE id = ANY(%(images)s)))
"""


def read(
    job: ExportJob, workspace: Path, checkpoint: Callable[[], None] = lambda: None
) -> tuple[Dataset, Iterator[Item]]:
    """What is known of the whole before the first image, and the images one after the other."""
    listed = Snapshot.objects.get(job=job, attempt=job.attempt)
    options = ExportOptions.model_validate(job.options)
    scale = options.pixel_to_micrometer_scale
    objects, classes, changed_at = _summary(listed)
    dataset = Dataset(
        project_name=job.project_name,
        class_names=tuple(classes),
        image_count=len(listed.image_ids),
        object_count=objects,
        changed_at=changed_at or listed.taken_at,
        workspace=workspace,
        unit=_unit(listed.pixel_sizes, scale),
        scale_override=scale,
        channels=_channels(listed, checkpoint) if options.measures_intensity else 0,
        style=style_of(options.visualization_options),
        options=options.as_json(),
    )
    return dataset, _items(listed, dataset)


def _summary(listed: Snapshot) -> tuple[int, list[str], datetime | None]:
    """The number of objects, their classes, and the newest change."""
    versions = [each for each in listed.segmentation_ids if each]
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARY, {"versions": versions, "images": listed.image_ids})
        objects, classes, changed_at = cursor.fetchone()
    return int(objects), classes, changed_at


def _unit(pixel_sizes: list[float | None], override: float | None) -> str:
    known = {size is not None for size in pixel_sizes}
    if override is not None or known == {True}:
        return "µm"
    return "px" if known == {False} else "mixed"


def _channels(listed: Snapshot, checkpoint: Callable[[], None]) -> int:
    """The most that an image with objects has, from the headers of the files; one where none can be read."""
    # Heavy, and who only asks for an export does not need it.
    from imagefiles.channels import stored_channels

    pairs = zip(listed.image_ids, listed.segmentation_ids, strict=True)
    outlined = (image_id for image_id, segmentation_id in pairs if segmentation_id)
    most = 1
    while batch := list(islice(outlined, BATCH)):
        for row in Image.objects.filter(pk__in=batch).only("file"):
            checkpoint()
            with suppress(UnreadableImage):
                most = max(most, stored_channels(Path(row.file.path)))
    return min(most, MAX_CHANNELS)


def style_of(options: VisualizationOptions) -> Style:
    return Style(
        show_numbers=options.show_numbers,
        external_color=options.polygon_colors.external,
        internal_color=options.polygon_colors.internal,
        stroke_width=options.stroke_width,
        font_size=options.font_size,
        opacity=options.opacity,
        image_format=options.format,
    )


def _items(listed: Snapshot, dataset: Dataset) -> Iterator[Item]:
    names = Names()
    rows = zip(listed.image_ids, listed.segmentation_ids, listed.names, listed.pixel_sizes, strict=True)
    number = 0
    while batch := list(islice(rows, BATCH)):
        images = Image.objects.in_bulk([image_id for image_id, *_ in batch])
        versions = Segmentation.objects.in_bulk([each for _, each, *_ in batch if each])
        for image_id, segmentation_id, name, pixel_size in batch:
            number += 1
            row, version = images.get(image_id), versions.get(segmentation_id)
            fixed = _Fixed(number, image_id, name, dataset.scale_override or pixel_size)
            yield _item(fixed, names, row, version, dataset.class_names)


@dataclass(frozen=True)
class _Fixed:
    """What the snapshot itself says of an image."""

    number: int
    image_id: UUID
    name: str
    pixel_size: float | None

    def fault(self, code: str, sentence: str) -> LeftOut:
        return LeftOut(str(self.image_id), self.name, "reading", code, sentence)


def _item(
    fixed: _Fixed, names: Names, row: Image | None, version: Segmentation | None, classes: tuple[str, ...]
) -> Item:
    if row is None:
        return Item(None, fixed.fault("image_missing", "The image is no longer in the hub."))
    fault, objects = None, Objects.none()
    try:
        if version is not None:
            objects = objects_of(version.outlines, classes)
    except (DamagedOutlines, DamagedObjects) as error:
        fault = fixed.fault("damaged_objects", f"The outlines of this image are damaged: {error}.")
    return Item(_image(fixed, names, row, objects), fault)


def _image(fixed: _Fixed, names: Names, row: Image, objects: Objects) -> archive.Image:
    given = names.add(str(row.pk), fixed.name)
    return archive.Image(
        number=fixed.number,
        image_id=str(row.pk),
        original_name=fixed.name,
        name=given.name,
        stem=given.stem,
        width=row.width,
        height=row.height,
        pixel_size=fixed.pixel_size,
        original=Path(row.file.path),
        sha256=row.sha256,
        objects=objects,
    )


def objects_of(outlines: Outlines, class_names: tuple[str, ...]) -> Objects:
    """The stored columns with the classes of the whole export. Raise DamagedObjects."""
    own = outlines.classes.astype(np.int64)
    if own.size and not 0 <= own.min() <= own.max() < len(outlines.class_names):
        raise DamagedObjects("an object has an unknown class")
    shared = np.array([class_names.index(name) for name in outlines.class_names], np.int64)
    return Objects(
        points=outlines.points,
        ring_starts=np.concatenate([[0], np.cumsum(outlines.rings[:, 2], dtype=np.int64)]),
        ring_objects=outlines.rings[:, 0].astype(np.int64),
        ring_parts=outlines.rings[:, 1].astype(np.int64),
        classes=shared[own] if own.size else own,
        scores=outlines.scores,
    )
