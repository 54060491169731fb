from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError, connection

from imagefiles.headers import UnreadableImage
from projects.images import add_image, remove_image, replace_segmentation
from projects.models import Image, Project, Segmentation
from projects.outlines import OutlinedObject

SQUARE = OutlinedObject([[[(0, 0), (4, 0), (4, 4), (0, 4)]]])
TRIANGLE = OutlinedObject([[[(0, 0), (4, 0), (4, 4)]]])


def test_an_added_image_has_the_size_and_hash_of_its_bytes(project: Project) -> None:
    content = _png(30, 20)
    image = add_image(project, "new.png", content, pixel_size=0.5)
    image.refresh_from_db()
    assert (image.width, image.height, image.size, image.pixel_size) == (30, 20, len(content), 0.5)
    assert image.sha256 == hashlib.sha256(content).hexdigest()


def test_the_file_is_stored_byte_for_byte(project: Project) -> None:
    content = _png(30, 20)
    assert Path(add_image(project, "new.png", content).file.path).read_bytes() == content


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.png", "x.html", "=cmd.png", "con"])
def test_the_path_of_a_file_holds_nothing_that_a_user_wrote(project: Project, name: str) -> None:
    image = add_image(project, name, _png())
    assert image.name == name
    assert re.fullmatch(r"images/[0-9a-f-]{36}\.png", image.file.name or "")


def test_the_ending_follows_the_content_and_not_the_name(project: Project) -> None:
    image = add_image(project, "new.png", cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes())
    assert str(image.file).endswith(".jpg")


def test_a_bmp_is_taken_too(project: Project) -> None:
    image = add_image(project, "new", cv2.imencode(".bmp", np.zeros((7, 9), np.uint8))[1].tobytes())
    assert (str(image.file)[-4:], image.width, image.height) == (".bmp", 9, 7)


def test_objects_become_the_first_version_of_the_outlines(project: Project, alice: User) -> None:
    image = add_image(project, "new.png", _png(), objects=[SQUARE, TRIANGLE], user=alice)
    segmentation = Image.objects.get(pk=image.pk).segmentation
    assert segmentation is not None
    assert (segmentation.version, segmentation.object_count, segmentation.created_by) == (1, 2, alice)


def test_an_image_without_outlines_has_no_segmentation(project: Project) -> None:
    assert Image.objects.get(pk=add_image(project, "new.png", _png()).pk).segmentation is None


def test_an_image_on_which_nothing_was_found_has_an_empty_segmentation(project: Project) -> None:
    segmentation = add_image(project, "new.png", _png(), objects=[]).segmentation
    assert segmentation is not None
    assert segmentation.object_count == 0


def test_what_is_no_image_is_neither_stored_nor_listed(project: Project) -> None:
    before = _files()
    with pytest.raises(UnreadableImage, match="not a PNG, JPEG, TIFF or BMP"):
        add_image(project, "evil.png", b"<script>alert(1)</script>")
    assert _files() == before
    assert not project.images.filter(name="evil.png").exists()


def test_a_refused_row_leaves_no_file_behind(project: Project) -> None:
    before = _files()
    with pytest.raises(IntegrityError):
        add_image(project, "new.png", _png(), pixel_size=-1.0, objects=[SQUARE])
    assert _files() == before


def test_a_file_that_was_written_in_part_is_removed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_store: FileSystemStorage, path: str, content: ContentFile[bytes]) -> None:
        Path(settings.MEDIA_ROOT, path).write_bytes(content.read(5))
        raise OSError("no space left on device")

    before = _files()
    monkeypatch.setattr(FileSystemStorage, "save", fail)
    with pytest.raises(OSError, match="no space"):
        add_image(project, "new.png", _png())
    assert _files() == before


def test_replaced_outlines_are_a_new_version_beside_the_old(project: Project, bob: User) -> None:
    image = project.images.get(name="a.png")
    old = image.segmentation
    new = replace_segmentation(image, [TRIANGLE], bob)
    assert old is not None
    assert (new.version, new.object_count, new.created_by) == (2, 1, bob)
    assert Segmentation.objects.get(pk=old.pk).points == old.points


def test_the_pointer_moves_to_the_new_version(project: Project, bob: User) -> None:
    image = project.images.get(name="a.png")
    new = replace_segmentation(image, [TRIANGLE], bob)
    assert image.segmentation == new
    assert Image.objects.get(pk=image.pk).segmentation == new


def test_the_first_outlines_of_an_image_are_version_one(project: Project, bob: User) -> None:
    assert replace_segmentation(project.images.get(name="empty.png"), [SQUARE], bob).version == 1


def test_outlines_replaced_by_two_at_once_are_two_versions(project: Project, bob: User) -> None:
    image = project.images.get(name="a.png")
    start = threading.Barrier(4)

    def replace() -> None:
        start.wait()
        replace_segmentation(Image.objects.get(pk=image.pk), [SQUARE], bob)
        connection.close()

    threads = [threading.Thread(target=replace) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = image.segmentations.order_by("version").values_list("version", flat=True)
    assert list(versions) == [1, 2, 3, 4, 5]


def test_a_removed_image_keeps_its_row_and_its_file(project: Project) -> None:
    image = project.images.get(name="a.png")
    remove_image(image)
    assert Image.objects.get(pk=image.pk).removed_at is not None
    assert Path(image.file.path).exists()


def test_removing_twice_keeps_the_first_time(project: Project) -> None:
    image = project.images.get(name="a.png")
    remove_image(image)
    first = Image.objects.get(pk=image.pk).removed_at
    remove_image(image)
    assert Image.objects.get(pk=image.pk).removed_at == first


def test_two_images_of_one_name_have_files_of_their_own(project: Project) -> None:
    one, two = add_image(project, "same.png", _png()), add_image(project, "same.png", _png())
    assert one.file.name != two.file.name
    assert isinstance(one.pk, UUID)


def _png(width: int = 8, height: int = 8) -> bytes:
    return cv2.imencode(".png", np.zeros((height, width), np.uint8))[1].tobytes()


def _files() -> set[Path]:
    return set(Path(settings.MEDIA_ROOT).rglob("*"))
