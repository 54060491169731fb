"""schemathesis over the running site: what the API's own document promises, asked for in every way it can think of.

Ids that it invents are exchanged for real ones, or no answer would be more than 404.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any
from uuid import UUID

import schemathesis
from schemathesis.config._checks import POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

from tests.api.conftest import Site

Json = dict[str, Any]
# What an operation would use up is not what the others need.
KEPT_FOR = {
    "downloadExport": ("completed",),
    "downloadExportHead": ("completed",),
    "createDownloadToken": ("completed", "failed"),
    "claimAutoDownload": ("completed", "failed"),
    "deleteExport": ("deletable", "failed", "processing"),
    "cancelExport": ("pending", "failed", "expired"),
    "retryExport": ("failed", "cancelled", "processing"),
}
READ = ("completed", "expired", "failed", "processing", "cancelled", "pending")
LISTS = {"listProjects": "/api/projects", "listImages": "{}/images", "exportHistory": "{}/export/history"}

CHECKS = {
    # What was there and is gone for good is refused as what never was; no schema of a request can say which.
    "positive_data_acceptance": {"expected-statuses": [*POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES, "410"]},
}
OPERATIONS = [
    {
        # A wrong `?token=` is answered as an address without anything, and it decides alone.
        "include-operation-id": ["downloadExport", "downloadExportHead"],
        "checks": {"ignored_auth": {"enabled": False}},
    }
]


class Exchange:
    """The hook that puts what is real in the place of what was invented; every eighth id is nobody's."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.number = count()
        self.turn: Counter[str] = Counter()
        project = f"/api/projects/{site.project}"
        self.cursors = {
            name: json.loads(site.get(path.format(project) + "?limit=1"))["nextCursor"]
            for name, path in LISTS.items()
        }

    def __call__(self, context: Any, case: Any, kwargs: Json) -> None:
        operation = case.operation.definition.raw["operationId"]
        self._exchange_ids(operation, case.path_parameters or {})
        self._exchange_values(operation, case)
        if isinstance(case.body, dict):
            self._exchange_images(case.body.get("options"))

    def _exchange_ids(self, operation: str, path: Json) -> None:
        preset = "deletable" if operation == "deletePreset" else "kept"
        real = {
            "project_id": [self.site.project],
            "job_id": [self.site.jobs[name] for name in KEPT_FOR.get(operation, READ)],
            "preset_id": [self.site.presets[preset]],
        }
        turn = self.turn[operation] = self.turn[operation] + 1
        for name, value in path.items():
            if _is_id(value):
                path[name] = real[name][turn % len(real[name])] if turn % 8 else str(UUID(int=turn))

    def _exchange_values(self, operation: str, case: Any) -> None:
        """Of what a schema lets through: a cursor is signed, a key stands for one request, a name can be read."""
        if isinstance((case.query or {}).get("cursor"), str):
            case.query["cursor"] = self.cursors[operation]
        if re.fullmatch(r"[!-~]{1,255}", str((case.headers or {}).get("Idempotency-Key", ""))):
            case.headers["Idempotency-Key"] = f"key-{next(self.number)}"
        name = case.body.get("name") if isinstance(case.body, dict) else None
        if isinstance(name, str) and name.strip():
            case.body["name"] = "".join(filter(str.isprintable, name)).strip() or "Name"

    def _exchange_images(self, options: object) -> None:
        if isinstance(options, dict) and isinstance(options.get("selectedImageIds"), list):
            wanted = zip(options["selectedImageIds"], cycle(self.site.images))
            options["selectedImageIds"] = [real if _is_id(each) else each for each, real in wanted]


def _is_id(value: object) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


SHORT: Json = {"coverage": {"unexpected-methods": ["put", "delete"]}, "stateful": {"enabled": False}}
LONG: Json = {}


def explore(
    site: Site, document: Json, *, examples: int, phases: Json, without: tuple[str, ...] = ()
) -> tuple[list[str], Counter[str]]:
    """What was found wrong, and how often each operation was answered with which status."""
    config = schemathesis.Config.from_dict(_settings(site, examples, phases, without))
    schema = schemathesis.openapi.from_dict(document, config=config)
    hook = Exchange(site)
    GLOBAL_HOOK_DISPATCHER.register_hook_with_name(hook, "before_call")
    found: list[str] = []
    asked: Counter[str] = Counter()
    try:
        for event in from_schema(schema).execute():
            found += _failures_of(event)
            asked.update(_answers_of(event))
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(hook)
    return found, asked


def _settings(site: Site, examples: int, phases: Json, without: tuple[str, ...]) -> Json:
    left_out = {"include-operation-id": list(without), "phases": {"coverage": {"enabled": False}}}
    return {
        "base-url": site.url,
        "seed": 1,
        "headers": {"Authorization": f"Bearer {site.key}"},
        "generation": {
            "max-examples": examples,
            "deterministic": True,
            "no-shrink": True,
            "database": "none",
        },
        "phases": phases,
        "checks": CHECKS,
        "operations": [*OPERATIONS, left_out] if without else OPERATIONS,
        "continue-on-failure": True,
        "warnings": False,
    }


def _failures_of(event: events.EngineEvent) -> Iterator[str]:
    if isinstance(event, events.NonFatalError | events.FatalError):
        yield repr(event)
    if isinstance(event, events.ScenarioFinished):
        for case_id, checks in event.recorder.checks.items():
            for found in filter(None, (check.failure_info for check in checks)):
                response = event.recorder.interactions[case_id].response
                answer = bytes(response.content or b"")[:500] if response else b""
                yield f"{event.recorder.label}: {found.failure}\n{found.code_sample}\n{answer!r}"


def _answers_of(event: events.EngineEvent) -> Iterator[str]:
    if isinstance(event, events.ScenarioFinished):
        for case_id, interaction in event.recorder.interactions.items():
            operation = event.recorder.cases[case_id].value.operation.definition.raw["operationId"]
            if interaction.response is not None:
                yield f"{operation} {interaction.response.status_code}"
