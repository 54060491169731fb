from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from projects import synthetic
from projects.models import Image, Project

GOOD = {"--owner": "alice", "--images": "3", "--size": "64", "--polygons": "5"}


@pytest.fixture
def made(alice: User) -> Project:
    return _make("--images", "12", "--holes", "50", "--seed", "4")


def test_a_project_has_the_images_and_objects_asked_for(made: Project, alice: User) -> None:
    images = list(made.images.select_related("segmentation"))
    assert made.owner == alice
    assert len(images) == 12
    assert {(image.width, image.height) for image in images} == {(64, 64)}
    assert {image.segmentation.object_count for image in images if image.segmentation} == {5}


def test_each_row_tells_the_truth_about_its_file(made: Project) -> None:
    for image in made.images.all():
        content = Path(image.file.path).read_bytes()
        assert (image.size, image.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert made.images.values("sha256").distinct().count() == 12


def test_each_image_points_to_its_own_outlines(made: Project) -> None:
    for image in made.images.select_related("segmentation"):
        assert image.segmentation is not None
        assert image.segmentation.image_id == image.pk
        assert len(image.segmentation.outlines.classes) == 5


def test_the_same_seed_makes_the_same_content(made: Project) -> None:
    again = _make("--images", "12", "--holes", "50", "--seed", "4")
    assert _content(again) == _content(made)


def test_another_seed_makes_other_content(made: Project) -> None:
    other = _make("--images", "12", "--holes", "50", "--seed", "5")
    assert not set(_content(other)) & set(_content(made))


def test_it_says_how_far_it_is(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "BATCH_BYTES", 1)
    said = StringIO()
    call_command("make_project", "P", *_flat(GOOD), stdout=said)
    assert said.getvalue().splitlines()[:3] == [f"{done} of 3 images." for done in (1, 2, 3)]


def test_rows_are_written_in_bulk(alice: User, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        synthetic.create("P", alice, images=50, size=32, polygons=3)


def test_a_batch_that_fails_leaves_no_file_behind(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(Path(settings.MEDIA_ROOT).rglob("*.*"))
    monkeypatch.setattr(synthetic, "PIXEL_SIZE", -1.0)
    with pytest.raises(IntegrityError):
        synthetic.create("P", alice, images=2, size=32, polygons=3)
    assert set(Path(settings.MEDIA_ROOT).rglob("*.*")) == before
    assert not Image.objects.exists()


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--owner", "nobody", "There is no user 'nobody'"),
        ("--images", "0", "1 or more"),
        ("--images", "-3", "1 or more"),
        ("--images", "many", "1 or more"),
        ("--size", "0", "1 or more"),
        ("--size", "40000", "32,768 pixels"),
        ("--polygons", "-1", "0 or more"),
        ("--holes", "101", "0 to 100"),
        ("--holes", "nan", "0 to 100"),
        ("--holes", "some", "0 to 100"),
        ("--seed", "-1", "0 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    alice: User, option: str, value: str, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("make_project", "P", *_flat(GOOD | {option: value}))
    assert not Project.objects.exists()


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_a_name_that_does_not_fit_is_refused(alice: User, name: str) -> None:
    with pytest.raises(CommandError, match="1 to 200 characters"):
        call_command("make_project", name, *_flat(GOOD))


def _make(*arguments: str) -> Project:
    call_command("make_project", "P", *_flat(GOOD), *arguments, verbosity=0, stdout=StringIO())
    return Project.objects.latest("created_at")


def _flat(options: dict[str, str]) -> list[str]:
    return [f"{option}={value}" for option, value in options.items()]


def _content(project: Project) -> list[tuple[str, str]]:
    return [
        (image.sha256, hashlib.sha256(image.segmentation.points).hexdigest())
        for image in project.images.select_related("segmentation")
        if image.segmentation
    ]
