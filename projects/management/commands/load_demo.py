"""The demo: real microscopy in two projects. Where the files come from stands in docs/DATA.md."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from projects.images import add_image
from projects.models import Membership, Project, Role
from projects.outlines import OutlinedObject
from projects.readers import masks

FOLDER = Path(__file__).resolve().parents[2] / "demo"
USERS = ("demo", "colleague", "viewer", "stranger", "admin")
OWNER = "demo"
MEMBERS = {"colleague": Role.EXPORTER, "viewer": Role.VIEWER}
CELLS3D_PIXEL_SIZE = 0.26  # µm


@dataclass(frozen=True)
class DemoImage:
    """A file of the folder, beside which `<stem>.labels.png` holds its objects."""

    file_name: str
    pixel_size: float | None = CELLS3D_PIXEL_SIZE
    class_name: str = "nucleus"
    other_classes: Mapping[int, str] = field(default_factory=lambda: {4: "mitotic nucleus"})
    """By label; the stack numbers the dividing nucleus 4 in each plane."""

    @property
    def labels(self) -> Path:
        return (FOLDER / self.file_name).with_suffix(".labels.png")

    def objects(self) -> list[OutlinedObject]:
        labels = np.asarray(cv2.imread(str(self.labels), cv2.IMREAD_UNCHANGED))
        return masks.smooth(labels, self._class_of)

    def _class_of(self, label: int) -> str:
        return self.other_classes.get(label, self.class_name)


PROJECTS = {
    ("Nuclei (demo)", "Fluorescent nuclei: one annotated field and four planes of a confocal stack."): (
        DemoImage("dsb2018-nuclei.tif", pixel_size=None, other_classes={}),
        DemoImage("allen-nuclei-z26.png"),
        DemoImage("allen-nuclei-z30.tif"),
        DemoImage("allen-nuclei-z34.png"),
        DemoImage("allen-nuclei-z42.png"),
    ),
    ("Shared images (demo)", "A phase image of one cell, and the lowest plane of the stack."): (
        DemoImage("allen-nuclei-z22.png"),
        DemoImage("cell-in-saline.png", pixel_size=0.107, class_name="cell", other_classes={}),
    ),
}


class Command(BaseCommand):
    help = "Loads the demo users and projects; what is there already stays as it is."

    def handle(self, *args: Any, verbosity: int = 1, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo users have known passwords: load_demo needs DEBUG=true.")
        with transaction.atomic():  # a demo that was cut short would never be completed
            _create_users()
            owner = User.objects.get(username=OWNER)
            for (name, description), images in PROJECTS.items():
                _add_missing(_project(owner, name, description), images)
        if verbosity:
            for project in Project.objects.filter(owner=owner):
                self.stdout.write(f"{project}: {project.images.present().count()} images.")


def _create_users() -> None:
    missing = set(USERS) - set(User.objects.filter(username__in=USERS).values_list("username", flat=True))
    with ThreadPoolExecutor() as threads:  # hashing a password takes a quarter of a second
        hashes = list(threads.map(make_password, sorted(missing)))
    for name, password in zip(sorted(missing), hashes, strict=True):
        is_admin = name == "admin"
        User.objects.create(
            username=name,
            email=f"{name}@example.org",
            password=password,
            is_staff=is_admin,
            is_superuser=is_admin,
        )


def _project(owner: User, name: str, description: str) -> Project:
    project, created = Project.objects.get_or_create(
        owner=owner, name=name, defaults={"description": description}
    )
    if created:
        for username, role in MEMBERS.items():
            Membership.objects.create(project=project, user=User.objects.get(username=username), role=role)
    return project


def _add_missing(project: Project, images: tuple[DemoImage, ...]) -> None:
    """An image that somebody removed stays removed."""
    present = set(project.images.values_list("name", flat=True))
    for image in images:
        if image.file_name not in present:
            add_image(
                project,
                image.file_name,
                (FOLDER / image.file_name).read_bytes(),
                pixel_size=image.pixel_size,
                objects=image.objects(),
                user=project.owner,
            )
