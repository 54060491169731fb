"""What the API takes and answers with around the choice of an export: presets and preferences."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.alias_generators import to_camel

from exports import presets
from exports.answers import EstimateBody
from exports.models import Preferences, Preset
from exports.models.choices import MAX_PRESET_NAME
from exports.schemas import Outward


class PresetBody(EstimateBody):
    # Checked by `presets`, which names what is wrong; the schema says it beforehand.
    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: str = Field(
        default="",
        max_length=MAX_PRESET_NAME,
        description=f"1 to {MAX_PRESET_NAME} characters, once whatever their case.",
        json_schema_extra={"minLength": 1, "pattern": r"\S"},
    )
    shared: StrictBool = Field(default=False, description="For everybody who may export the project.")

    def wanted(self) -> presets.Wanted:
        return presets.Wanted(name=self.name, is_shared=self.shared, options=self.raw_options)


class PresetView(Outward):
    id: UUID
    name: str
    shared: bool
    mine: bool
    changeable: bool = Field(description="Whether you may replace and delete it.")
    by: str = Field(description="The name of who made it.")
    options: dict[str, Any] = Field(description="Never with `selectedImageIds`.")
    changed_at: datetime

    @classmethod
    def of(cls, preset: Preset, user: User) -> PresetView:
        return cls(
            id=preset.pk,
            name=preset.name,
            shared=preset.project_id is not None,
            mine=preset.user_id == user.pk,
            changeable=presets.is_changeable(preset, user),
            by=preset.user.get_username(),
            options=preset.options,
            changed_at=preset.changed_at,
        )


class PresetList(Outward):
    presets: list[PresetView]


class PreferencesBody(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    download_when_ready: StrictBool | None = None
    mail_when_ended: StrictBool | None = None
    language: str | None = Field(
        default=None,
        description="Its code, of the site's languages; empty: the browser's.",
        json_schema_extra={"enum": [None, "", *dict(settings.LANGUAGES)]},
    )


class PreferencesView(Outward):
    download_when_ready: bool
    mail_when_ended: bool
    mail_address: str | None
    language: str

    @classmethod
    def of(cls, kept: Preferences, user: User) -> PreferencesView:
        return cls(
            download_when_ready=kept.download_when_ready,
            mail_when_ended=kept.mail_since is not None,
            mail_address=user.email or None,
            language=kept.language,
        )
