"""The preview shows what the file will show: the same pixels, of a part of one image."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from exports import preview, snapshot
from exports.archive import overlay
from exports.options import VisualizationOptions
from imagefiles import display
from projects.images import add_image, replace_segmentation
from projects.models import Image, Project
from projects.outlines import OutlinedObject
from tests.conftest import store_file

ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.django_db(transaction=True)


def circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return [(x + radius * np.cos(turn), y + radius * np.sin(turn)) for turn in turns]


@pytest.fixture
def large(project: Project) -> Image:
    """1400 × 2600 pixels, so that lines grow; most of its objects lie at the right, some with holes."""
    random = np.random.default_rng(3)
    content = cv2.imencode(".png", random.integers(0, 255, (2600, 1400), np.uint8))[1].tobytes()
    places = [
        (100, 100, 60),
        *((random.integers(700, 1390), random.integers(900, 1500), 30) for _ in range(80)),
    ]
    objects = [OutlinedObject(parts=[[circle(*each), circle(*each[:2], 9)]]) for each in places]
    return add_image(project, "grün 1%.png", content, objects=objects)


def ask(client: Client, project: Project, image: Image | None = None, style: object = None) -> Any:
    query = {} if image is None else {"image": image.pk}
    query |= {} if style is None else {"options": style if isinstance(style, str) else json.dumps(style)}
    return client.get(f"/projects/{project.pk}/export/preview/", query)


def picture(answer: Any) -> Any:
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)


def whole_overlay(image: Image, style: VisualizationOptions) -> Any:
    """As the archive has it."""
    canvas = display.for_display(Path(image.file.path), width=image.width, height=image.height).copy()
    assert image.segmentation
    outlines = image.segmentation.outlines
    objects = snapshot.objects_of(outlines, outlines.class_names)
    overlay.draw(canvas, objects, snapshot.style_of(style))
    return canvas


@pytest.mark.parametrize(
    "choice", [{}, {"stroke_width": 9, "font_size": 60, "opacity": 1, "show_numbers": True}]
)
def test_the_preview_is_a_part_of_the_overlay_pixel_by_pixel(
    large: Image, choice: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_encoded", lambda pixels: pixels)
    style = VisualizationOptions(**choice)
    drawn = preview.draw(large, style)
    part = drawn.part
    expected = whole_overlay(large, style)[part.top : part.top + 360, part.left : part.left + 480]
    assert (part.width, part.height) == (480, 360)
    assert np.array_equal(drawn.content, expected)


def test_the_preview_shows_where_most_objects_are(large: Image) -> None:
    part = preview.draw(large, VisualizationOptions()).part
    assert part.left >= 500
    assert 600 <= part.top <= 1500


def test_the_answer_is_a_picture_and_says_of_what(large: Image, alice: User, client_of: ClientOf) -> None:
    answer = ask(client_of(alice), large.project, large)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert picture(answer).shape == (360, 480, 3)
    assert (answer["X-Image-Id"], answer["X-Image-Name"]) == (str(large.pk), quote("grün 1%.png"))
    assert answer["X-Image-Size"] == "1400,2600"
    assert answer["X-Image-Part"].endswith(",480,360")


def test_a_small_image_is_shown_whole(project: Project, alice: User, client_of: ClientOf) -> None:
    answer = ask(client_of(alice), project)
    assert answer["X-Image-Part"] == "0,0,64,48"
    assert picture(answer).shape == (48, 64, 3)


def test_the_first_image_with_objects_is_shown_unless_one_is_named(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    project.images.filter(name="empty.png").update(name="0.png")
    client, first, bare = client_of(alice), project.images.get(name="a.png"), project.images.get(name="0.png")
    assert ask(client, project)["X-Image-Id"] == str(first.pk)
    assert ask(client, project, bare)["X-Image-Id"] == str(bare.pk)
    project.images.exclude(name="0.png").update(removed_at=project.created_at)
    assert ask(client, project)["X-Image-Id"] == str(bare.pk)


def test_the_style_is_the_chosen_one(project: Project, alice: User, client_of: ClientOf) -> None:
    style = {"polygonColors": {"external": "#00FF00"}, "opacity": 1, "strokeWidth": 1, "showNumbers": False}
    shown = picture(ask(client_of(alice), project, style=style))
    assert np.abs(shown[12:14, 12:28].astype(int) - [0, 255, 0]).max() < 30


def test_a_known_picture_is_not_drawn_again_until_outlines_or_choices_change(
    project: Project, alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, image = client_of(alice), project.images.get(name="a.png")
    etag = ask(client, project, image)["ETag"]
    again = client.get(
        f"/projects/{project.pk}/export/preview/", {"image": image.pk}, headers={"If-None-Match": etag}
    )
    assert (again.status_code, again["Cache-Control"]) == (304, "private, no-cache")
    assert ask(client, project, image, {"opacity": 0.3})["ETag"] == etag
    assert ask(client, project, image, {"opacity": 0.4})["ETag"] != etag
    replace_segmentation(image, [], alice)
    assert ask(client, project, image)["ETag"] != etag


def test_trying_out_colours_decodes_once(large: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Path] = []
    real = display.for_display
    monkeypatch.setattr(
        display, "for_display", lambda path, **size: decoded.append(path) or real(path, **size)
    )
    for width in (1, 2, 3):
        preview.draw(large, VisualizationOptions(stroke_width=width))
    assert decoded == [Path(large.file.path)]


@pytest.mark.parametrize(
    ("style", "field"),
    [
        ({"strokeWidth": 99}, "visualizationOptions.strokeWidth"),
        ({"polygonColors": {"external": "red"}}, "visualizationOptions.polygonColors.external"),
        ({"glitter": 1}, "visualizationOptions.glitter"),
        ("{", "visualizationOptions"),
        ("[" * 9999, "visualizationOptions"),
        ('{"opacity": NaN}', "visualizationOptions.opacity"),
    ],
)
def test_a_style_that_cannot_be_used_is_refused_at_its_field(
    project: Project, alice: User, client_of: ClientOf, style: object, field: str
) -> None:
    answer = ask(client_of(alice), project, style=style)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert (answer.json()["code"], list(answer.json()["fields"])) == ("invalid_options", [field])


def test_what_cannot_be_decoded_is_said(project: Project, alice: User, client_of: ClientOf) -> None:
    broken = store_file(project, "broken.png", b"\x89PNG\r\n\x1a\nbroken")
    answer = ask(client_of(alice), project, broken)
    assert (answer.status_code, answer.json()["code"]) == (422, "image_unreadable")
    assert "cannot be shown" in answer.json()["detail"]


def test_a_file_that_is_gone_is_said(
    project: Project, alice: User, client_of: ClientOf, settings: Any
) -> None:
    shutil.rmtree(settings.MEDIA_ROOT)
    assert ask(client_of(alice), project).json()["code"] == "image_unreadable"


def test_a_very_large_image_is_refused_before_it_is_opened(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    huge = Image.objects.create(
        project=project, name="huge", file="x", width=8000, height=4001, size=1, sha256="0"
    )
    answer = ask(client_of(alice), project, huge)
    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


def test_one_picture_is_made_at_a_time(
    project: Project, alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_PATIENCE", 0.01)
    client = client_of(alice)
    with preview._one_at_a_time():
        answer = ask(client, project)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert ask(client, project).status_code == 200


def test_a_picture_that_failed_leaves_the_place_to_the_next(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    broken = store_file(project, "broken.png", b"")
    client = client_of(alice)
    assert [ask(client, project, image).status_code for image in (broken, broken, None)] == [422, 422, 200]


def test_only_who_may_export_sees_it(
    project: Project, alice: User, vera: User, mallory: User, client_of: ClientOf
) -> None:
    assert ask(client_of(vera), project).json()["code"] == "export_not_allowed"
    assert ask(client_of(mallory), project).status_code == 404
    assert ask(Client(), project).status_code == 302
    other = Project.objects.create(name="Other", owner=alice)
    assert ask(client_of(alice), other, project.images.first()).status_code == 404
    assert ask(client_of(alice), other).json()["code"] == "nothing_to_export"


@pytest.mark.parametrize("image", ["x", str(uuid.UUID(int=1))])
def test_an_image_that_is_not_there_is_not_found(
    project: Project, alice: User, client_of: ClientOf, image: str
) -> None:
    address = f"/projects/{project.pk}/export/preview/?image={image}"
    assert client_of(alice).get(address).status_code == 404
