from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest
import tifffile
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client

from projects import images
from projects.models import Image, Project
from tests.conftest import add_image, store_file
from tests.imagefiles.pictures import by_pillow, turned

ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def image(project: Project) -> Image:
    return project.images.get(name="a.png")


def test_the_first_page_lists_projects_with_counts_and_role(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    page = client_of(bob).get("/").content.decode()
    assert "Nuclei" in page
    assert "3 images" in page
    assert "6 objects" in page
    assert "Exporter" in page


def test_somebody_without_projects_reads_what_to_do(mallory: User, client_of: ClientOf) -> None:
    assert "No projects yet" in client_of(mallory).get("/").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_projects(
    project: Project, alice: User, client_of: ClientOf, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        add_image(Project.objects.create(name=f"More {number}", owner=alice), "c.png", None)
    client = client_of(alice)
    with django_assert_num_queries(4):  # session, user, count, projects
        client.get("/")


def test_the_number_of_queries_does_not_grow_with_the_images(
    project: Project, alice: User, client_of: ClientOf, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        add_image(project, f"{number}.png", None)
    client = client_of(alice)
    with django_assert_num_queries(12):  # session, user, project, images 2, exports 2, the dialog 5
        client.get(project.get_absolute_url())


def test_a_project_shows_its_images(project: Project, vera: User, client_of: ClientOf) -> None:
    page = client_of(vera).get(project.get_absolute_url()).content.decode()
    assert re.findall(r'title="(.*?)">', page) == ["Logged in as vera", "a.png", "b.png", "empty.png"]
    assert "64 × 48 px" in page


def test_a_removed_image_is_gone(project: Project, image: Image, alice: User, client_of: ClientOf) -> None:
    Image.objects.filter(pk=image.pk).update(removed_at=image.created_at)
    assert client_of(alice).get(image.get_absolute_url()).status_code == 404
    assert "a.png" not in client_of(alice).get(project.get_absolute_url()).content.decode()


def test_an_image_shows_its_objects(image: Image, alice: User, client_of: ClientOf) -> None:
    page = client_of(alice).get(image.get_absolute_url()).content.decode()
    assert page.count('class="outline"') == 3
    assert "0.900" in page
    assert "M10,10 30,10 30,30 10,30ZM15,15 15,25 25,25 25,15Z" in page


def test_the_outlines_are_a_drawing_of_all_objects(image: Image, alice: User, client_of: ClientOf) -> None:
    answer = client_of(alice).get(f"{image.get_absolute_url()}outlines.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.count(b"<path ") == 3


def test_names_of_users_become_text_and_never_markup(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    add_image(project, "<script>alert(1)</script>.png", None)
    page = client_of(alice).get(project.get_absolute_url()).content
    assert b"<script>alert" not in page
    assert b"&lt;script&gt;alert" in page


@pytest.mark.parametrize("path", ["", "file", "thumbnail", "outlines.svg"])
def test_a_stranger_sees_nothing_of_an_image(
    image: Image, mallory: User, client_of: ClientOf, path: str
) -> None:
    assert client_of(mallory).get(image.get_absolute_url() + path).status_code == 404


def test_a_stranger_sees_no_project(project: Project, mallory: User, client_of: ClientOf) -> None:
    assert client_of(mallory).get(project.get_absolute_url()).status_code == 404


def test_an_image_is_not_found_in_another_project(image: Image, alice: User, client_of: ClientOf) -> None:
    other = Project.objects.create(name="Other", owner=alice)
    assert client_of(alice).get(f"/projects/{other.pk}/images/{image.pk}/").status_code == 404


def test_somebody_not_logged_in_is_asked_to(project: Project) -> None:
    answer = Client().get(project.get_absolute_url())
    assert answer.headers["Location"] == f"/accounts/login/?next={project.get_absolute_url()}"


def test_the_page_that_says_not_found_names_no_path(mallory: User, client_of: ClientOf) -> None:
    page = client_of(mallory).get(f"/projects/{uuid4()}/").content.decode()
    assert "There is nothing here" in page


def test_a_thumbnail_is_a_small_picture(project: Project, alice: User, client_of: ClientOf) -> None:
    content = cv2.imencode(".png", np.zeros((700, 1400), np.uint8))[1].tobytes()
    wide = images.add_image(project, "wide.png", content)
    answer = client_of(alice).get(f"{wide.get_absolute_url()}thumbnail")
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert answer["Content-Type"] == "image/jpeg"
    assert shown.shape[:2] == (240, 480)


def test_an_eight_bit_image_is_sent_as_stored(image: Image, alice: User, client_of: ClientOf) -> None:
    answer = client_of(alice).get(f"{image.get_absolute_url()}file")
    assert answer["Content-Type"] == "image/png"
    assert answer.content == image.file.open("rb").read()


def test_a_tiff_of_sixteen_bits_is_stretched_for_the_browser(
    project: Project, alice: User, client_of: ClientOf, tmp_path: Any
) -> None:
    dim = np.linspace(100, 900, 48 * 64).reshape(48, 64).astype(np.uint16)
    tifffile.imwrite(tmp_path / "dim.tif", dim)
    stored = store_file(project, "dim.tif", (tmp_path / "dim.tif").read_bytes())
    answer = client_of(alice).get(f"{stored.get_absolute_url()}file")
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert answer["Content-Type"] == "image/png"
    assert (shown.dtype, shown.min(), shown.max()) == (np.uint8, 0, 255)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\nbroken", b"II*\0broken", b"<svg onload=alert(1)>"]
)
@pytest.mark.parametrize("path", ["file", "thumbnail"])
def test_a_damaged_image_becomes_a_placeholder(
    project: Project, alice: User, client_of: ClientOf, content: bytes, path: str
) -> None:
    broken = store_file(project, "broken.png", content)
    answer = client_of(alice).get(broken.get_absolute_url() + path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert b"Cannot be shown" in answer.content
    assert answer["Cache-Control"] == "no-store"


def test_damaged_outlines_leave_the_page_whole(image: Image, alice: User, client_of: ClientOf) -> None:
    assert image.segmentation is not None
    image.segmentation = type(image.segmentation).objects.create(
        image=image, version=2, points=b"1", rings=b"", classes=b"", scores=b"", object_count=0
    )
    image.save(update_fields=["segmentation"])
    assert "no outlined objects" in client_of(alice).get(image.get_absolute_url()).content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_nothing_but_itself(name: str) -> None:
    assert "To the projects" in render_to_string(f"{name}.html")


def test_logging_out_needs_a_post(alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/login/"


def test_a_picture_that_a_browser_would_turn_is_shown_as_it_is_stored(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    """Objects were outlined on the stored pixels; a browser follows EXIF."""
    upright = images.add_image(project, "upright.jpg", by_pillow("JPEG", exif=turned()))
    answer = client_of(alice).get(f"{upright.get_absolute_url()}file")
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (48, 64, 3)


def test_a_bmp_is_shown(project: Project, alice: User, client_of: ClientOf) -> None:
    answer = client_of(alice).get(
        f"{images.add_image(project, 'a.bmp', by_pillow('BMP')).get_absolute_url()}file"
    )
    assert answer["Content-Type"] == "image/png"
