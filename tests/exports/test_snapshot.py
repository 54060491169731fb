"""One moment of the project: what is listed at the claim is what is exported, whatever happens later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from exports import lifecycle, snapshot
from exports.models import ExportJob
from projects.models import Image, Segmentation
from projects.outlines import OutlinedObject, pack
from tests.conftest import add_image
from tests.jobs import request_for

TRIANGLE = [(1.0, 1.0), (9.0, 1.0), (1.0, 9.0)]


def items(job: ExportJob, folder: Path) -> list[snapshot.Item]:
    return list(snapshot.read(job, folder)[1])


def test_images_come_by_name_with_their_objects(processing: ExportJob, tmp_path: Path) -> None:
    found = items(processing, tmp_path)

    assert [each.image.name for each in found] == ["a.png", "b.png", "empty.png"]
    assert [len(each.image.objects) for each in found] == [3, 3, 0]
    assert [each.image.number for each in found] == [1, 2, 3]


def test_the_whole_is_known_before_the_first_image(processing: ExportJob, tmp_path: Path) -> None:
    dataset, _ = snapshot.read(processing, tmp_path)

    assert dataset.class_names == ("cell", "nucleus")
    assert (dataset.image_count, dataset.object_count, dataset.unit) == (3, 6, "µm")


def test_a_change_after_the_claim_is_not_seen(processing: ExportJob, tmp_path: Path) -> None:
    image = Image.objects.get(name="a.png")
    newer = Segmentation.objects.create(image=image, version=2, **pack([OutlinedObject([[TRIANGLE]])]))
    Image.objects.filter(pk=image.pk).update(segmentation=newer, name="z.png", pixel_size=9)
    add_image(processing.project, "late.png", None)

    found = items(processing, tmp_path)

    first = found[0].image
    assert [each.image.name for each in found] == ["a.png", "b.png", "empty.png"]
    assert (len(first.objects), first.pixel_size) == (3, 0.5)


def test_a_removed_image_stays_in_a_running_export(processing: ExportJob, tmp_path: Path) -> None:
    Image.objects.filter(name="a.png").update(removed_at=processing.started_at)

    found = items(processing, tmp_path)
    assert [(each.image.name, each.fault) for each in found if each.image] == [
        ("a.png", None), ("b.png", None), ("empty.png", None),
    ]  # fmt: skip


def test_a_change_before_the_claim_is_seen(job: ExportJob, tmp_path: Path) -> None:
    add_image(job.project, "late.png", None)

    assert len(items(lifecycle.claim(job.pk), tmp_path)) == 4


def test_only_selected_images_are_listed(project: Any, bell: list[Any], tmp_path: Path) -> None:
    chosen = Image.objects.get(name="b.png")
    job, _ = lifecycle.request(request_for(project, project.owner, selected_image_ids=[chosen.pk]))

    assert [each.image.name for each in items(lifecycle.claim(job.pk), tmp_path)] == ["b.png"]


def test_the_scale_of_the_options_takes_precedence(project: Any, bell: list[Any], tmp_path: Path) -> None:
    job, _ = lifecycle.request(request_for(project, project.owner, pixel_to_micrometer_scale=0.25))

    assert {each.image.pixel_size for each in items(lifecycle.claim(job.pk), tmp_path)} == {0.25}


@pytest.mark.parametrize(
    "damage",
    [
        "points = ''",
        "rings = '\\x00'",
        "classes = '\\x0900'",
        r"points = decode(repeat('ff', 8 * 22), 'hex')",
        r"points = decode(repeat('9c7500883ce4377e', 22), 'hex')",  # 1e300
    ],
)
def test_damaged_outlines_are_a_fault_of_their_image_alone(
    processing: ExportJob, tmp_path: Path, damage: str
) -> None:
    image = Image.objects.get(name="a.png")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE projects_segmentation DISABLE TRIGGER USER")
        cursor.execute(
            f"UPDATE projects_segmentation SET {damage.replace('%', '%%')} WHERE id = %s",
            [image.segmentation_id],
        )
        cursor.execute("ALTER TABLE projects_segmentation ENABLE TRIGGER USER")

    damaged, whole, _ = items(processing, tmp_path)

    assert damaged.fault.code == "damaged_objects"
    assert len(damaged.image.objects) == 0
    assert len(whole.image.objects) == 3


def test_the_number_of_queries_does_not_grow_with_the_images(
    processing: ExportJob, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    # The list, the summary, then two for each batch of images.
    with django_assert_num_queries(4):
        items(processing, tmp_path)


def test_the_options_are_kept_for_the_manifest(processing: ExportJob, tmp_path: Path) -> None:
    dataset, _ = snapshot.read(processing, tmp_path)

    assert json.loads(json.dumps(dataset.options))["annotationFormats"] == ["coco", "json"]
