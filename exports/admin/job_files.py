"""What lies on disk of an export, beside what its row says: names, never where they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from exports import files
from exports.models import ExportJob
from exports.states import Status


@dataclass(frozen=True)
class Found:
    name: str
    kind: str
    size: int | None
    """Bytes; None for what the row names and the disk has not."""
    verdict: str
    is_right: bool


def of(job: ExportJob) -> list[Found]:
    """Raise OSError when the disk cannot be read."""
    found = [_found(job, path) for path in sorted(files.of_job(job.pk))]
    if job.file_name and job.file_name not in {each.name for each in found}:
        missing = _("Missing: the next download removes it from the list of archives.")
        found.append(Found(job.file_name, _("published"), None, missing, is_right=False))
    return found


def _found(job: ExportJob, path: Path) -> Found:
    if path.is_dir():
        size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        is_live = job.status == Status.PROCESSING and path.name == f"{job.pk}-{job.attempt}"
        verdict = _("Being written.") if is_live else _("Left over: it will be removed.")
        return Found(path.name, _("staging"), size, verdict, is_live)
    size = path.stat().st_size
    if path.name != job.file_name:
        return Found(path.name, _("published"), size, _("Left over: it will be removed."), is_right=False)
    if size != job.file_size:
        return Found(path.name, _("published"), size, _("Not the size that the export has."), is_right=False)
    return Found(path.name, _("published"), size, _("As the export says."), is_right=True)
