from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, ProgrammingError
from django.db.models import ProtectedError

from projects.images import remove_image
from projects.models import Image, Membership, Project, Role, Segmentation
from projects.outlines import OutlinedObject, pack

SQUARE = [(0, 0), (4, 0), (4, 4), (0, 4)]


@pytest.mark.parametrize("name", ["alice", "bob", "vera"])
def test_owner_and_members_see_the_project(project: Project, name: str) -> None:
    assert project in Project.objects.visible_to(User.objects.get(username=name))


@pytest.mark.parametrize("name", ["alice", "bob", "vera"])
def test_owner_and_members_see_its_images(project: Project, name: str) -> None:
    seen = Image.objects.visible_to(User.objects.get(username=name))
    assert set(seen) == set(project.images.all())


def test_a_stranger_sees_neither_project_nor_images(project: Project, mallory: User) -> None:
    assert not Project.objects.visible_to(mallory).exists()
    assert not Image.objects.visible_to(mallory).exists()


def test_a_stranger_exports_nothing(project: Project, mallory: User) -> None:
    assert not Project.objects.exportable_by(mallory).exists()


def test_who_is_not_logged_in_sees_nothing(project: Project) -> None:
    assert not Project.objects.visible_to(AnonymousUser()).exists()
    assert not Project.objects.exportable_by(AnonymousUser()).exists()


@pytest.mark.parametrize("name", ["alice", "bob", "vera"])
def test_an_inactive_user_loses_every_right(project: Project, name: str) -> None:
    user = User.objects.get(username=name)
    user.is_active = False
    assert not Project.objects.visible_to(user).exists()
    assert not Project.objects.exportable_by(user).exists()
    assert not Image.objects.visible_to(user).exists()


@pytest.mark.parametrize(("name", "may"), [("alice", True), ("bob", True), ("vera", False)])
def test_owner_and_exporter_may_export_but_a_viewer_may_not(project: Project, name: str, may: bool) -> None:
    user = User.objects.get(username=name)
    assert Project.objects.exportable_by(user).filter(pk=project.pk).exists() is may


def test_an_editor_may_export(project: Project, mallory: User) -> None:
    Membership.objects.create(project=project, user=mallory, role=Role.EDITOR)
    assert project in Project.objects.exportable_by(mallory)


def test_a_membership_opens_no_other_project(project: Project, mallory: User, bob: User) -> None:
    private = Project.objects.create(name="Private", owner=mallory)
    assert private not in Project.objects.visible_to(bob)
    assert private not in Project.objects.exportable_by(bob)


def test_a_project_is_listed_once_for_an_owner_who_is_also_a_member(project: Project, alice: User) -> None:
    Membership.objects.create(project=project, user=alice, role=Role.VIEWER)
    assert list(Project.objects.visible_to(alice)) == [project]
    assert project in Project.objects.exportable_by(alice)


def test_a_removed_image_is_seen_by_nobody(project: Project, alice: User) -> None:
    removed = project.images.get(name="a.png")
    remove_image(removed)
    assert removed not in Image.objects.visible_to(alice)
    assert removed not in Image.objects.present()


def test_counts_are_of_what_is_in_the_project_now(project: Project) -> None:
    remove_image(project.images.get(name="a.png"))
    counted = Project.objects.with_counts().get(pk=project.pk)
    assert (counted.image_count, counted.object_count) == (2, 3)  # type: ignore[attr-defined]


def test_an_empty_project_counts_nothing(alice: User) -> None:
    Project.objects.create(name="Empty", owner=alice)
    counted = Project.objects.with_counts().get(name="Empty")
    assert (counted.image_count, counted.object_count) == (0, 0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("column", ["points", "rings", "classes", "scores"])
def test_the_database_refuses_to_change_outlines(project: Project, column: str) -> None:
    with pytest.raises(ProgrammingError, match="Cannot update rows"):
        Segmentation.objects.update(**{column: b""})


@pytest.mark.parametrize(
    ("field", "value"),
    [("file", "images/other.png"), ("width", 1), ("height", 1), ("size", 1), ("sha256", "0" * 64)],
)
def test_the_database_refuses_to_change_the_file_of_an_image(
    project: Project, field: str, value: object
) -> None:
    with pytest.raises(ProgrammingError, match="Cannot update rows"):
        Image.objects.filter(project=project).update(**{field: value})


def test_the_database_refuses_to_move_an_image_to_another_project(project: Project, alice: User) -> None:
    other = Project.objects.create(name="Other", owner=alice)
    with pytest.raises(ProgrammingError, match="Cannot update rows"):
        Image.objects.filter(project=project).update(project=other)


def test_an_image_may_be_renamed(project: Project) -> None:
    Image.objects.filter(project=project, name="a.png").update(name="renamed.png")
    assert project.images.filter(name="renamed.png").exists()


def test_nobody_is_a_member_twice(project: Project, bob: User) -> None:
    with pytest.raises(IntegrityError, match="membership_once"):
        Membership.objects.create(project=project, user=bob, role=Role.EDITOR)


def test_an_unknown_role_is_refused(project: Project, mallory: User) -> None:
    with pytest.raises(IntegrityError, match="membership_role_known"):
        Membership.objects.create(project=project, user=mallory, role="king")


def test_a_version_of_outlines_exists_once(project: Project) -> None:
    image = project.images.get(name="a.png")
    with pytest.raises(IntegrityError, match="segmentation_version_once"):
        Segmentation.objects.create(image=image, version=1, **pack([OutlinedObject([[SQUARE]])]))


@pytest.mark.parametrize("pixel_size", [0.0, -1.0, 0.00009, 10_001.0, float("inf")])
def test_a_pixel_size_that_makes_no_sense_is_refused(project: Project, pixel_size: float) -> None:
    with pytest.raises(IntegrityError, match="image_pixel_size_sensible"):
        Image.objects.filter(project=project).update(pixel_size=pixel_size)


@pytest.mark.parametrize("side", ["width", "height"])
def test_an_image_without_pixels_is_refused(project: Project, side: str) -> None:
    empty = Image(project=project, name="x", file="images/x.png", size=1, sha256="0" * 64, width=1, height=1)
    setattr(empty, side, 0)
    with pytest.raises(IntegrityError, match="image_not_empty"):
        empty.save()


def test_an_owner_cannot_be_deleted_while_the_project_stands(project: Project, alice: User) -> None:
    with pytest.raises(ProtectedError):
        alice.delete()
