"""What one export's page shows: the row, and what RQ, the disk and the audit have to say about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Func, IntegerField
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from exports import calls, events, wording
from exports.admin import columns, job_files, timeline
from exports.admin.actions import ACTIONS
from exports.models import ExportJob, Snapshot
from projects.models import Visitor

RETRIES = 20  # that are linked
SPELLED_OUT = 20  # selected images whose ids are shown
WARNINGS = 100


def of(job: ExportJob, reader: Visitor) -> dict[str, Any]:
    """The context of the template."""
    moments = timeline.of(job)
    return {
        "job": job,
        "title": _("Export %(id)s") % {"id": str(job.pk)[: columns.SHOWN_DIGITS]},
        "duration": columns.duration(job),
        "retries": list(job.retries.order_by("created_at").only("pk", "status")[:RETRIES]),
        "moments": moments,
        "untold": job.sequence - len(moments),
        "now": _as_text(events.current(job).as_json()),
        "options": _as_text(_options(job)),
        "warnings": [_warning(each) for each in job.warnings[:WARNINGS]],
        "more_warnings": max(0, len(job.warnings) - WARNINGS),
        "failure": wording.failure(job) if job.error_code else None,
        "snapshot": _snapshot(job),
        "actions": [_offered(action, job) for action in _allowed(reader)],
        **_on_disk(job),
        **_in_queue(job),
    }


def _as_text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)


def _options(job: ExportJob) -> dict[str, Any]:
    """A selection of many images is told by its length."""
    selected = job.options.get("selectedImageIds") or []
    if len(selected) <= SPELLED_OUT:
        return dict(job.options)
    more = _("… %(number)s more") % {"number": len(selected) - SPELLED_OUT}
    return {**job.options, "selectedImageIds": [*selected[:SPELLED_OUT], more]}


def _warning(stored: dict[str, str]) -> dict[str, Any]:
    return {
        "image": stored.get("image") or "",
        "code": stored.get("code", ""),
        "told": wording.warning(stored),
    }


def _snapshot(job: ExportJob) -> Mapping[str, Any] | None:
    """How many images it lists, not which."""
    counted = Func(F("image_ids"), function="cardinality", output_field=IntegerField())
    return Snapshot.objects.filter(pk=job.pk).values("attempt", "taken_at", images=counted).first()


def _allowed(reader: Visitor) -> list[Any]:
    return [action for action in ACTIONS.values() if reader.has_perm(action.permission)]


def _offered(action: Any, job: ExportJob) -> dict[str, Any]:
    return {"name": action.name, "label": action.label, "obstacle": action.obstacle(job)}


def _on_disk(job: ExportJob) -> dict[str, Any]:
    try:
        return {"files": job_files.of(job), "disk_away": False}
    except OSError:
        return {"files": [], "disk_away": True}


def _in_queue(job: ExportJob) -> dict[str, Any]:
    try:
        return {"calls": calls.of(job), "redis_away": False}
    except RedisError:
        return {"calls": [], "redis_away": True}
