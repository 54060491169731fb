"""The product with every format and option: what an export of all that there is costs in time and memory."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from bench.outcome import Outcome
from bench.stopwatch import Stopwatch
from exports import admission, build, worker
from exports.archive.formats import annotation_formats, metrics_formats
from exports.models import ExportJob
from projects.models import Project

OPTIONS = {
    "annotationFormats": [*annotation_formats],
    "metricsFormats": [*metrics_formats],
    "includeIntensity": True,
}


def export(project: Project, folder: Path) -> Outcome:
    """Build one export as a worker does; the archive stays where it was published, for its judges."""
    worker.preload()
    job, _ = admission.start(project.owner, project.pk, OPTIONS)
    watch = Stopwatch()
    build.run(job.pk)
    stages = watch.stop()
    done = ExportJob.objects.get(pk=job.pk)
    return Outcome(stages, {"bytes": done.file_size or 0, "warnings": len(done.warnings)})


def published(project: Project) -> Path:
    """The archive that was built last."""
    job = project.export_jobs.exclude(file_name=None).latest("created_at")
    return settings.EXPORT_ROOT / "published" / str(job.file_name)
