"""Whose images, which objects, who may see them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

if TYPE_CHECKING:
    from projects.outlines import Outlines

Visitor = User | AnonymousUser


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer: may look"
    EXPORTER = "exporter", "Exporter: may look and export"
    EDITOR = "editor", "Editor: may look, export and change"


EXPORTING = (Role.EXPORTER, Role.EDITOR)


class ProjectQuerySet(models.QuerySet["Project"]):
    def present(self) -> ProjectQuerySet:
        """The projects that were not removed."""
        return self.filter(removed_at=None)

    def remove(self) -> int:
        """Take them from everybody. The rows stay, for the audit of their exports; the sweep ends those."""
        return self.present().update(removed_at=models.functions.Now())

    def restore(self) -> int:
        """Give removed ones back; what the sweep ended meanwhile stays ended."""
        return self.exclude(removed_at=None).update(removed_at=None)

    def visible_to(self, user: Visitor) -> ProjectQuerySet:
        """The projects that an active `user` owns or is a member of."""
        if not user.is_active:
            return self.none()
        memberships = Membership.objects.filter(user_id=user.pk)
        return self.present().filter(Q(owner_id=user.pk) | Q(pk__in=memberships.values("project")))

    def exportable_by(self, user: Visitor) -> ProjectQuerySet:
        """The projects that an active `user` owns or may export as a member."""
        if not user.is_active:
            return self.none()
        memberships = Membership.objects.filter(user_id=user.pk, role__in=EXPORTING)
        return self.present().filter(Q(owner_id=user.pk) | Q(pk__in=memberships.values("project")))

    def with_counts(self) -> ProjectQuerySet:
        """With `image_count` and `object_count` of what is in the project now."""
        present = Image.objects.filter(project=models.OuterRef("pk"), removed_at=None).order_by()
        images = present.values("project").annotate(n=models.Count("pk")).values("n")
        objects = present.values("project").annotate(n=models.Sum("segmentation__object_count")).values("n")
        zero = models.Value(0)
        return self.annotate(
            image_count=models.functions.Coalesce(models.Subquery(images), zero),
            object_count=models.functions.Coalesce(models.Subquery(objects), zero),
        )


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="owned_projects")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("projects:detail", args=[self.pk])


class Membership(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["project", "user"]),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class ImageQuerySet(models.QuerySet["Image"]):
    def present(self) -> ImageQuerySet:
        """The images that were not removed from their project."""
        return self.filter(removed_at=None)

    def visible_to(self, user: Visitor) -> ImageQuerySet:
        return self.present().filter(project__in=Project.objects.visible_to(user))


class Image(models.Model):
    """An image of a project. Its file never changes; a removed one stays while an export lists it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="images")
    name = models.CharField(max_length=255)
    """As the user named the file: shown, never used as a path."""
    file = models.FileField(upload_to="images/", max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    """Bytes of the file."""
    sha256 = models.CharField(max_length=64)
    pixel_size = models.FloatField(null=True, blank=True)
    """µm per pixel, where known."""
    segmentation = models.ForeignKey("Segmentation", models.PROTECT, null=True, blank=True, related_name="+")
    """The newest version of its outlines; an edit adds a version and moves this pointer."""
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(name="image_in_project", fields=["project", "name", "id"])]
        constraints = [
            models.CheckConstraint(
                name="image_pixel_size_sensible",
                condition=Q(pixel_size=None) | Q(pixel_size__gte=0.0001, pixel_size__lte=10_000),
            ),
            models.CheckConstraint(name="image_not_empty", condition=Q(width__gt=0, height__gt=0)),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="file_never_changes", fields=["file", "width", "height", "size", "sha256", "project"]
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("projects:image", args=[self.project_id, self.pk])


class Segmentation(models.Model):
    """One version of an image's outlined objects, packed; never changed in place.

    `projects.outlines` packs and unpacks the columns. Counts stand beside them so that lists and
    estimates need not unpack anything.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="segmentations")
    version = models.PositiveIntegerField(default=1)
    points = models.BinaryField()
    """float64 little-endian, x and y in turn, all rings one after the other."""
    rings = models.BinaryField()
    """int32 little-endian, three a ring: object index, part index, number of points."""
    classes = models.BinaryField()
    """int16 little-endian, one an object: index in `class_names`."""
    scores = models.BinaryField()
    """float64 little-endian, one an object; NaN where there is none."""
    class_names = ArrayField(models.CharField(max_length=100), default=list)
    object_count = models.PositiveIntegerField()
    hole_count = models.PositiveIntegerField(default=0)
    multipart_count = models.PositiveIntegerField(default=0)
    """Objects of several parts."""
    overlap_count = models.PositiveIntegerField(default=0)
    """Objects that share pixels with a later one, which hides them where each pixel holds one object."""
    score_count = models.PositiveIntegerField(default=0)
    """Objects with a score."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="segmentation_version_once", fields=["image", "version"])]
        triggers = [pgtrigger.Protect(name="outlines_never_change", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.object_count} objects of {self.image_id}, version {self.version}"

    @property
    def outlines(self) -> Outlines:
        """The unpacked objects. Raise DamagedOutlines when the columns contradict each other."""
        from projects.outlines import unpack

        return unpack(self)
