"""What people would rather not choose again: presets of options, and how they want to be told."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from projects.models import Project, Visitor

MAX_PRESET_NAME = 80


class PresetQuerySet(models.QuerySet["Preset"]):
    def offered_to(self, user: Visitor, project: Project) -> PresetQuerySet:
        """The user's own, and those of the project, as far as the user may export it."""
        if not Project.objects.exportable_by(user).filter(pk=project.pk).exists():
            return self.none()
        return self.filter(Q(user_id=user.pk, project=None) | Q(project=project))

    def changeable_by(self, user: Visitor) -> PresetQuerySet:
        """Those that the user made; a project's owner may change all of the project's."""
        return self.filter(Q(user_id=user.pk) | Q(project__owner_id=user.pk))


class Preset(models.Model):
    """Options under a name: of one person for all projects or, with a project, of all who may export it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="export_presets")
    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="export_presets")
    name = models.CharField(max_length=MAX_PRESET_NAME)
    options = models.JSONField()
    """In the API's spelling, without a selection of images."""
    changed_at = models.DateTimeField(auto_now=True)

    objects = PresetQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "user", Lower("name"), name="own_preset_name_once", condition=Q(project=None)
            ),
            models.UniqueConstraint(
                "project", Lower("name"), name="project_preset_name_once", condition=Q(project__isnull=False)
            ),
            models.CheckConstraint(name="preset_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class Preferences(models.Model):
    """How somebody wants to be told that an export has ended, and in which language."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="export_preferences"
    )
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, blank=True)
    """Empty: the browser's."""
    download_when_ready = models.BooleanField(default=True)
    mail_since = models.DateTimeField(null=True)
    """Exports that end later are told by e-mail; None: no e-mail."""

    def __str__(self) -> str:
        return f"Preferences of {self.user}"

    @classmethod
    def of(cls, user: User) -> Preferences:
        """Theirs, or the defaults, which are not in the database."""
        return cls.objects.filter(user=user).first() or cls(user=user)
