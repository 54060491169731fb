"""What the choice of an export starts with: an earlier export, a preset, or the last choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exports import presets
from exports.models import ExportJob
from exports.options import LEAST_SCALE, MOST_SCALE
from projects.models import Image, Project
from projects.templatetags.wording import grouped, in_digits

DEFAULTS = "defaults"
"""Stands for no preset, where one could be named."""


@dataclass(frozen=True)
class Scales:
    """What the images of a project say of their size, in µm per pixel."""

    least: float | None = None
    most: float | None = None
    unknown: int = 0

    @property
    def own(self) -> float | None:
        """The one scale that all images have, unless it is none that could be chosen."""
        is_one = self.least is not None and self.least == self.most and not self.unknown
        return self.least if is_one and LEAST_SCALE <= (self.least or 0) <= MOST_SCALE else None

    @property
    def sentence(self) -> str:
        if self.least is None or self.most is None:
            return _("No image says its scale: left empty, measurements are in pixels.")
        if self.own is not None:
            return _("The scale that all images came with. Another one is taken for all of them.")
        words = {
            "least": in_digits(self.least),
            "most": in_digits(self.most),
            "number": grouped(self.unknown),
        }
        kept = _("Left empty, each image keeps its own: %(least)s to %(most)s µm per pixel.")
        if self.least == self.most:
            kept = _("Left empty, each image keeps its own: %(least)s µm per pixel.")
        unknown = ngettext(
            "%(number)s image has none and is measured in pixels.",
            "%(number)s images have none and are measured in pixels.",
            self.unknown,
        )
        return f"{kept} {unknown}" % words if self.unknown else kept % words


@dataclass(frozen=True)
class Start:
    """What a form opens with."""

    options: dict[str, Any] = field(default_factory=dict)
    """In the API's spelling; some may be missing."""
    scales: Scales = Scales()
    had_selection: bool = False
    """Also when none of its images is left: all would be another export then."""
    missing: int = 0
    """Images that were selected then and are gone."""
    chosen: str = ""
    """The id of the preset, or DEFAULTS; empty for the last choice and for an earlier export."""

    @property
    def note(self) -> str:
        if not self.missing:
            return ""
        sentence = ngettext(
            "%(number)s image that was selected then is no longer in this project.",
            "%(number)s images that were selected then are no longer in this project.",
            self.missing,
        )
        return sentence % {"number": grouped(self.missing)}


def start(
    user: User, project: Project, *, like: str = "", preset: str = "", selected: list[str] | None = None
) -> Start:
    """The given wins over the last choice. Raise Http404 for a job or preset that the user may not see."""
    options = _kept_options(user, project, like, preset)
    earlier = options.pop("selectedImageIds", None)
    wanted = selected or earlier
    ids = _present(project, wanted) if wanted else []
    return Start(
        options=options | ({"selectedImageIds": ids} if ids else {}),
        scales=_scales(project),
        had_selection=bool(wanted),
        missing=len(set(wanted)) - len(ids) if wanted else 0,
        chosen="" if like else preset,
    )


def _kept_options(user: User, project: Project, like: str, preset: str) -> dict[str, Any]:
    if like:
        visible = ExportJob.objects.visible_to(user).filter(project=project)
        return dict(get_object_or_404(visible, pk=id_of(like)).options)
    if preset == DEFAULTS:
        return {}
    if preset:
        return dict(presets.find(user, project, id_of(preset)).options)
    return _last_choice(user, project)


def _last_choice(user: User, project: Project) -> dict[str, Any]:
    """Without its selection; the scale of another project says nothing here."""
    mine = (
        ExportJob.objects.filter(user=user).order_by("-created_at", "-pk").values_list("options", flat=True)
    )
    here = mine.filter(project=project).first()
    last = here or mine.first() or {}
    left_out = {"selectedImageIds"} if here else {"selectedImageIds", "pixelToMicrometerScale"}
    return {name: value for name, value in last.items() if name not in left_out}


def _present(project: Project, wanted: list[str]) -> list[str]:
    """Those that are still images of the project, by name; anything else that was asked for is none."""
    ids = [each for each in map(_uuid_or_none, wanted) if each]
    images = Image.objects.present().filter(project=project, pk__in=ids).order_by("name", "pk")
    return [str(image_id) for image_id in images.values_list("pk", flat=True)]


def _scales(project: Project) -> Scales:
    found = Image.objects.present().filter(project=project)
    return Scales(
        **found.aggregate(
            least=Min("pixel_size"), most=Max("pixel_size"), unknown=Count("pk", filter=Q(pixel_size=None))
        )
    )


def id_of(text: str) -> UUID:
    """What an address names. Raise Http404."""
    found = _uuid_or_none(text)
    if found is None:
        raise Http404
    return found


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
