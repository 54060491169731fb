"""What is kept around the choice of an export, over HTTP: presets and preferences."""

from __future__ import annotations

from uuid import UUID

from ninja import Router, Status

from config.authentication import READING
from config.openapi import told
from config.requests import ApiRequest
from exports import admission, preferences, presets
from exports.choices_answers import PreferencesBody, PreferencesView, PresetBody, PresetList, PresetView
from exports.exceptions import ExportNotAllowed, InvalidOptions, PresetNameTaken
from exports.models import Preferences

router = Router(by_alias=True)
PRESETS = "/projects/{uuid:project_id}/export/presets"
PRESET = f"{PRESETS}/{{uuid:preset_id}}"
KEEPING = told(ExportNotAllowed, InvalidOptions, PresetNameTaken, needs_body=True)


@router.get(PRESETS, auth=READING, response=PresetList, openapi_extra=told(ExportNotAllowed))
def list_presets(request: ApiRequest, project_id: UUID) -> PresetList:
    """Your own, then the project's, each by name."""
    offered = presets.offered(request.auth, admission.exportable(request.auth, project_id))
    return PresetList(presets=[PresetView.of(preset, request.auth) for preset in offered])


@router.post(PRESETS, response={201: PresetView}, openapi_extra=KEEPING)
def create_preset(
    request: ApiRequest, project_id: UUID, body: PresetBody | None = None
) -> Status[PresetView]:
    """Keep options under a name. Yours are offered to you in all projects, shared ones to all who may export this one."""
    project = admission.exportable(request.auth, project_id)
    made = presets.create(request.auth, project, (body or PresetBody()).wanted())
    return Status(201, PresetView.of(made, request.auth))


@router.put(PRESET, response=PresetView, openapi_extra=KEEPING)
def replace_preset(
    request: ApiRequest, project_id: UUID, preset_id: UUID, body: PresetBody | None = None
) -> PresetView:
    """Give it another name, other options, or to others: by who made it, and by the project's owner."""
    project = admission.exportable(request.auth, project_id)
    replaced = presets.replace(request.auth, project, preset_id, (body or PresetBody()).wanted())
    return PresetView.of(replaced, request.auth)


@router.delete(PRESET, response={204: None}, openapi_extra=told(ExportNotAllowed))
def delete_preset(request: ApiRequest, project_id: UUID, preset_id: UUID) -> Status[None]:
    """Exports that were made with it stay as they are."""
    presets.remove(request.auth, admission.exportable(request.auth, project_id), preset_id)
    return Status(204, None)


@router.get("/preferences", auth=READING, response=PreferencesView)
def show_preferences(request: ApiRequest) -> PreferencesView:
    """How you want to be told that an export has ended."""
    return PreferencesView.of(Preferences.of(request.auth), request.auth)


@router.patch("/preferences", response=PreferencesView)
def change_preferences(request: ApiRequest, body: PreferencesBody | None = None) -> PreferencesView:
    """What you leave out stays as it is. E-mail tells of exports that end after it was switched on."""
    kept = preferences.change(request.auth, **(body or PreferencesBody()).model_dump(exclude_unset=True))
    return PreferencesView.of(kept, request.auth)
