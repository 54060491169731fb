from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from projects.images import remove_image
from projects.management.commands.load_demo import FOLDER, PROJECTS, USERS, DemoImage
from projects.models import Image, Membership, Project, Role, Segmentation

ROOT = Path(__file__).resolve().parents[2]
IMAGES = [image for images in PROJECTS.values() for image in images]


@pytest.fixture
def demo(transactional_db: None, settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG = True
    settings.MEDIA_ROOT = tmp_path
    call_command("load_demo", verbosity=0)


@pytest.mark.parametrize("name", USERS)
def test_each_user_logs_in_with_the_name(demo: None, name: str) -> None:
    assert User.objects.get(username=name).check_password(name)


def test_only_the_admin_is_staff(demo: None) -> None:
    assert list(User.objects.filter(is_staff=True, is_superuser=True)) == [User.objects.get(username="admin")]
    assert User.objects.filter(is_staff=True).count() == 1


def test_demo_owns_two_projects_that_are_shared(demo: None) -> None:
    assert set(Project.objects.values_list("owner__username", flat=True)) == {"demo"}
    roles = Membership.objects.values_list("project__name", "user__username", "role")
    names = {name for name, _ in PROJECTS}
    assert set(roles) == {(name, "colleague", Role.EXPORTER) for name in names} | {
        (name, "viewer", Role.VIEWER) for name in names
    }


def test_the_stranger_sees_nothing(demo: None) -> None:
    assert not Project.objects.visible_to(User.objects.get(username="stranger")).exists()


def test_a_project_holds_four_images_with_holes_and_parts(demo: None) -> None:
    images = Image.objects.filter(project__name="Nuclei (demo)").select_related("segmentation")
    outlined = [image.segmentation for image in images if image.segmentation]
    assert len(outlined) >= 4
    assert all(each.object_count for each in outlined)
    assert sum(each.hole_count > 0 for each in outlined) >= 2
    assert sum(each.multipart_count > 0 for each in outlined) >= 2


def test_both_kinds_of_files_and_known_and_unknown_scales_are_shown(demo: None) -> None:
    endings = {Path(str(image.file)).suffix for image in Image.objects.all()}
    assert endings == {".png", ".tif"}
    assert set(Image.objects.values_list("pixel_size", flat=True)) == {None, 0.26, 0.107}


def test_loading_twice_changes_nothing(demo: None) -> None:
    before = _everything()
    call_command("load_demo", verbosity=0)
    assert _everything() == before


def test_an_image_that_was_removed_stays_removed(demo: None) -> None:
    remove_image(Image.objects.get(name="allen-nuclei-z30.tif"))
    call_command("load_demo", verbosity=0)
    assert not Image.objects.present().filter(name="allen-nuclei-z30.tif").exists()


def test_a_password_that_was_changed_stays_changed(demo: None) -> None:
    user = User.objects.get(username="viewer")
    user.set_password("of my own")
    user.save(update_fields=["password"])
    call_command("load_demo", verbosity=0)
    assert User.objects.get(username="viewer").check_password("of my own")


def test_it_refuses_outside_development(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("load_demo")
    assert not User.objects.exists()


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.file_name)
def test_each_outline_covers_the_pixels_of_its_mask(image: DemoImage) -> None:
    labels = np.asarray(cv2.imread(str(image.labels), cv2.IMREAD_UNCHANGED))
    ys, xs = np.mgrid[: labels.shape[0], : labels.shape[1]] + 0.5
    for label, each in zip(np.unique(labels)[1:], image.objects(), strict=True):
        polygon = shapely.MultiPolygon([(part[0], part[1:]) for part in each.parts])
        drawn, mask = shapely.contains_xy(polygon, xs, ys), labels == label
        assert (drawn & mask).sum() / (drawn | mask).sum() >= 0.97
        assert polygon.area == pytest.approx(mask.sum(), rel=0.025)


def test_every_file_of_the_demo_is_credited_and_used() -> None:
    credits = (ROOT / "docs" / "DATA.md").read_text()
    used = {image.file_name for image in IMAGES} | {image.labels.name for image in IMAGES}
    assert {path.name for path in FOLDER.iterdir()} == used
    assert [image.file_name for image in IMAGES if image.file_name.split(".")[0][:12] not in credits] == []


def test_the_demo_is_loaded_in_a_moment(transactional_db: None, settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG, settings.MEDIA_ROOT = True, tmp_path
    began = time.process_time()
    call_command("load_demo", verbosity=0)
    assert time.process_time() - began < 2


def _everything() -> list[object]:
    rows = [list(model.objects.order_by("pk").values()) for model in (User, Project, Membership, Image)]
    return [*rows, list(Segmentation.objects.order_by("pk").values_list("pk", "version"))]
