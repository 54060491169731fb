"""Options kept under a name: whose they are, who may change them, and that a name stands for one only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import Http404
from django.utils.translation import gettext as _

from exports import options
from exports.exceptions import InvalidOptions, PresetNameTaken
from exports.models import Preset
from exports.models.choices import MAX_PRESET_NAME, PresetQuerySet
from projects.models import Project

MOST_OFFERED = 500
_NAME_CONSTRAINTS = ("own_preset_name_once", "project_preset_name_once")


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to keep."""

    name: str
    is_shared: bool
    """For everybody who may export the project."""
    options: object
    """As they came."""


def offered(user: User, project: Project) -> list[Preset]:
    """The user's own by name, then the project's."""
    found = Preset.objects.offered_to(user, project).select_related("user", "project")
    return list(found.order_by(F("project_id").asc(nulls_first=True), "name", "pk")[:MOST_OFFERED])


def find(user: User, project: Project, preset_id: UUID) -> Preset:
    """Raise Http404 when it is not offered to the user."""
    return _one(Preset.objects.offered_to(user, project), preset_id)


def create(user: User, project: Project, wanted: Wanted) -> Preset:
    """Raise InvalidOptions or PresetNameTaken."""
    preset = Preset(user=user, project=project if wanted.is_shared else None, **_columns(wanted))
    with _names_once():
        preset.save(force_insert=True)
    return preset


def replace(user: User, project: Project, preset_id: UUID, wanted: Wanted) -> Preset:
    """Raise Http404 when the user may not change it, InvalidOptions or PresetNameTaken."""
    columns = _columns(wanted)
    with _names_once():
        preset = _changeable(user, project, preset_id)
        if preset.project and preset.user_id != user.pk and not wanted.is_shared:
            sentence = _("only who made it can keep it to themselves")
            raise InvalidOptions(
                _("This preset stays the project's: %(sentence)s.") % {"sentence": sentence},
                fields={"shared": sentence},
            )
        preset.project = project if wanted.is_shared else None
        preset.name, preset.options = columns["name"], columns["options"]
        preset.save(update_fields=["project", "name", "options", "changed_at"])
    return preset


def remove(user: User, project: Project, preset_id: UUID) -> None:
    """Raise Http404 when the user may not change it."""
    with transaction.atomic():
        _changeable(user, project, preset_id).delete()


def is_changeable(preset: Preset, user: User) -> bool:
    """What `changeable_by` filters by, of a preset that is read already."""
    return preset.user_id == user.pk or (preset.project is not None and preset.project.owner_id == user.pk)


def _changeable(user: User, project: Project, preset_id: UUID) -> Preset:
    """Under its lock."""
    found = Preset.objects.offered_to(user, project).changeable_by(user).select_related("user", "project")
    return _one(found.select_for_update(of=("self",), no_key=True), preset_id)


def _one(presets: PresetQuerySet, preset_id: UUID) -> Preset:
    preset = presets.filter(pk=preset_id).first()
    if preset is None:
        raise Http404
    return preset


def _columns(wanted: Wanted) -> dict[str, Any]:
    """Raise InvalidOptions."""
    return {"name": _name(wanted.name), "options": _without_selection(wanted.options)}


def _name(given: str) -> str:
    name = "".join(each for each in " ".join(given.split()) if each.isprintable())
    if 0 < len(name) <= MAX_PRESET_NAME:
        return name
    sentence = _("use 1 to %(most)s characters") % {"most": MAX_PRESET_NAME}
    raise InvalidOptions(
        _("The name of the preset is not usable: %(sentence)s.") % {"sentence": sentence},
        fields={"name": sentence},
    )


def _without_selection(raw: object) -> dict[str, Any]:
    kept = {key: raw[key] for key in raw if key != "selectedImageIds"} if isinstance(raw, dict) else raw
    return options.parse(kept).as_json()


@contextmanager
def _names_once() -> Iterator[None]:
    """The constraints decide: whoever comes second, however close, raises PresetNameTaken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") in _NAME_CONSTRAINTS:
            raise PresetNameTaken from error
        raise
