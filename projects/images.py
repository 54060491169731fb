"""Adding images and their outlines. Files and outlines never change once stored: a change is a new version."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from imagefiles import headers
from projects.models import Image, Project, Segmentation
from projects.outlines import OutlinedObject, pack


def add_image(
    project: Project,
    name: str,
    content: bytes,
    *,
    pixel_size: float | None = None,
    objects: Iterable[OutlinedObject] | None = None,
    user: User | None = None,
) -> Image:
    """Store a PNG, JPEG, TIFF or BMP file, with `objects` as outlined by `user` unless they are None.

    `pixel_size` is in µm. Raise UnreadableImage.
    """
    image = described(project, name, content, pixel_size=pixel_size)
    segmentation = None if objects is None else Segmentation(image=image, created_by=user, **pack(objects))
    image.segmentation = segmentation
    with stored({str(image.file): content}), transaction.atomic():
        # The two rows name each other; PostgreSQL checks that at the commit.
        image.save(force_insert=True)
        if segmentation:
            segmentation.save(force_insert=True)
    return image


def replace_segmentation(image: Image, objects: Iterable[OutlinedObject], user: User | None) -> Segmentation:
    """Add the next version of the outlines of `image` and point to it."""
    columns = pack(objects)
    with transaction.atomic():
        locked = Image.objects.select_for_update(no_key=True).get(pk=image.pk)
        newest = locked.segmentations.aggregate(version=Max("version"))["version"] or 0
        segmentation = locked.segmentations.create(version=newest + 1, created_by=user, **columns)
        locked.segmentation = segmentation
        locked.save(update_fields=["segmentation"])
    image.segmentation = segmentation
    return segmentation


def remove_image(image: Image) -> None:
    """Take `image` out of its project; row and file stay for exports that list them. Twice is as once."""
    Image.objects.present().filter(pk=image.pk).update(removed_at=timezone.now())


def described(project: Project, name: str, content: bytes, *, pixel_size: float | None = None) -> Image:
    """The row of an image that is still to be stored, under a path of its own. Raise UnreadableImage."""
    header = headers.read(BytesIO(content))
    return Image(
        project=project,
        name=name,
        file=f"images/{uuid.uuid4()}{header.ending}",
        width=header.width,
        height=header.height,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        pixel_size=pixel_size,
    )


@contextmanager
def stored(files: dict[str, bytes]) -> Iterator[None]:
    """Write the files before the rows that name them are committed; remove them when that fails."""
    try:
        for path, content in files.items():
            default_storage.save(path, ContentFile(content))
        yield
    except BaseException:
        for path in files:
            default_storage.delete(path)
        raise
