"""Who may start an export, of what; the checks before a job's life begins."""

from __future__ import annotations

from collections import namedtuple
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import Http404

from exports import admission, files, lifecycle
from exports.exceptions import (
    ExportNotAllowed,
    InsufficientStorage,
    InvalidOptions,
    NothingToExport,
    StillActive,
)
from exports.models import ExportJob
from projects.models import Image, Project
from projects.outlines import OutlinedObject
from tests.conftest import add_image

pytestmark = pytest.mark.usefixtures("bell")


def test_an_exporter_may(project: Project, bob: User) -> None:
    job, is_new = admission.start(bob, project.pk, {})

    assert (job.user, job.project_name, job.image_count, is_new) == (bob, "Nuclei", 3, True)


def test_a_viewer_is_told_whom_to_ask(project: Project, vera: User) -> None:
    with pytest.raises(ExportNotAllowed, match="Ask its owner"):
        admission.start(vera, project.pk, {})


@pytest.mark.parametrize("act", [admission.start, admission.estimate])
def test_a_stranger_sees_no_project(project: Project, mallory: User, act: Any) -> None:
    with pytest.raises(Http404):
        act(mallory, project.pk, {})


def test_an_inactive_account_sees_no_project(project: Project, alice: User) -> None:
    alice.is_active = False

    with pytest.raises(Http404):
        admission.start(alice, project.pk, {})


def test_an_empty_project_has_nothing_to_export(alice: User) -> None:
    empty = Project.objects.create(name="Empty", owner=alice)

    with pytest.raises(NothingToExport):
        admission.start(alice, empty.pk, {})


def test_images_of_another_project_are_refused(project: Project, alice: User) -> None:
    other = Project.objects.create(name="Other", owner=alice)
    foreign = add_image(other, "foreign.png", None)

    with pytest.raises(InvalidOptions, match="not in this project"):
        admission.start(alice, project.pk, {"selectedImageIds": [str(foreign.pk)]})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"annotationFormats": ["pascal"]}, "annotationFormats"),
        ({"selectedImageIds": []}, "selectedImageIds"),
        ({"selectedImageIds": ["x"]}, "selectedImageIds.0"),
        ({"selectedImageIds": [str(uuid4())]}, "selectedImageIds"),
        ({"pixelToMicrometerScale": 0}, "pixelToMicrometerScale"),
        ({"pixelToMicrometerScale": float("nan")}, "pixelToMicrometerScale"),
        ({"visualizationOptions": {"strokeWidth": 21}}, "visualizationOptions.strokeWidth"),
        ({"visualizationOptions": {"polygonColors": {"external": "red"}}},
         "visualizationOptions.polygonColors.external"),
        ([], "options"),
        ({"includeOriginalImages": False, "includeVisualizations": False, "annotationFormats": [],
          "metricsFormats": []}, "includeOriginalImages"),
    ],
)  # fmt: skip
def test_wrong_options_are_named(project: Project, alice: User, wrong: object, field: str) -> None:
    with pytest.raises(InvalidOptions) as refusal:
        admission.start(alice, project.pk, wrong)

    assert field in refusal.value.details["fields"]
    assert ExportJob.objects.count() == 0


def test_more_images_than_allowed_are_refused(project: Project, alice: User, settings: Any) -> None:
    settings.EXPORT_MAX_IMAGES = 2

    with pytest.raises(InvalidOptions, match="at most 2 images"):
        admission.start(alice, project.pk, {})


def test_a_disk_without_room_is_said_before_the_start(
    project: Project, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(1 << 20))

    with pytest.raises(InsufficientStorage):
        admission.start(alice, project.pk, {})


def test_an_accepted_request_is_answered_again_though_its_images_are_gone(
    project: Project, alice: User
) -> None:
    first, _ = admission.start(alice, project.pk, {}, idempotency_key="k")
    Image.objects.update(removed_at=first.created_at)

    assert admission.start(alice, project.pk, {}, idempotency_key="k") == (first, False)


def test_the_order_of_options_does_not_matter(project: Project, alice: User) -> None:
    first, _ = admission.start(alice, project.pk, {"annotationFormats": ["json", "coco"]})

    assert admission.start(alice, project.pk, {"annotationFormats": ["coco", "json"]}) == (first, False)


def test_an_estimate_counts_and_warns_and_starts_nothing(project: Project, alice: User) -> None:
    found = admission.estimate(alice, project.pk, {})

    assert (found.images, found.objects) == (3, 6)
    assert [each.code for each in found.warnings] == ["images_without_objects"]
    assert ExportJob.objects.count() == 0


@pytest.mark.parametrize(
    ("chosen", "sentences"),
    [
        ("masks", ["Label masks (TIFF) cannot hold 4 objects that later ones overlap and 4 scores."]),
        ("json", []),
    ],
)
def test_an_estimate_says_what_a_format_would_lose(
    project: Project, alice: User, chosen: str, sentences: list[str]
) -> None:
    square = [(0, 0), (9, 0), (9, 9), (0, 9)]
    add_image(project, "c.png", [OutlinedObject(parts=[[square]])] * 3)

    found = admission.estimate(alice, project.pk, {"annotationFormats": [chosen]})

    assert [each.message for each in found.warnings if each.code == "format_loses"] == sentences


def test_a_retry_is_a_new_job_with_the_same_options(failed: ExportJob, alice: User) -> None:
    job, is_new = admission.retry(alice, failed)

    assert (is_new, job.retry_of_id, job.options) == (True, failed.pk, failed.options)


def test_an_active_job_is_not_retried(job: ExportJob, alice: User) -> None:
    with pytest.raises(StillActive):
        admission.retry(alice, job)


def test_control_characters_do_not_get_into_the_name(project: Project, alice: User) -> None:
    job, _ = admission.start(alice, project.pk, {}, project_name="  a\u202e\x00b\n c ")

    assert job.project_name == "ab c"
    assert lifecycle.cancel(job.pk, "user:1").project_name == "ab c"


def test_images_without_a_scale_are_counted_in_words(project: Project, alice: User) -> None:
    Image.objects.filter(name="a.png").update(pixel_size=None)

    found = admission.estimate(alice, project.pk, {})

    assert "1 image has no scale" in found.warnings[-1].message
