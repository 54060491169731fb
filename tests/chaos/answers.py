"""What the hub answered, and what of it the history keeps."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

GENERATION = re.compile(r"g(\d+)")
CLASS_NAMES = {
    "annotations/json/segmentation_data.json": lambda content: content["classes"],
    "annotations/coco/annotations.json": lambda content: [each["name"] for each in content["categories"]],
}


@dataclass(frozen=True)
class Job:
    project: str
    id: str


@dataclass(frozen=True)
class Answer:
    status: int | None
    """None: there was no answer, or only a part of one."""
    headers: Mapping[str, str]
    """By names in small letters."""
    body: bytes
    is_whole: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """Of a JSON answer; empty for any other."""
        kind = self.headers.get("content-type", "")
        return json.loads(self.body) if self.is_whole and self.body and "json" in kind else {}

    @property
    def is_archive(self) -> bool:
        return self.headers.get("content-type") == "application/zip"

    @property
    def job(self) -> dict[str, Any]:
        """The job that the answer shows, if any."""
        content = self.content
        return content.get("job") or (content if "jobId" in content else {})

    @property
    def size(self) -> int:
        """Bytes of the whole file, as a partial answer says; 0 when it does not."""
        return int(self.headers.get("content-range", "0").rpartition("/")[2])


NOTHING = Answer(None, {}, b"")


def is_whole(method: str, status: int | None, headers: Mapping[str, str], received: int) -> bool:
    """Whether as much was received as was announced."""
    if status is None:
        return False
    if method == "HEAD" or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return True
    return received == int(headers.get("content-length", received))


def told(answer: Answer) -> dict[str, Any]:
    """The fields of a record that follow from the answer alone."""
    content, job = answer.content, answer.job
    fields = {
        "status": answer.status,
        "code": content.get("code"),
        "version": job.get("version"),
        "job_status": job.get("status") or content.get("jobStatus"),
        "cancelled_at": job.get("cancelledAt") or content.get("cancelledAt"),
        "etag": answer.headers.get("etag", "").strip('"') or None,
        "bytes": len(answer.body) if answer.is_archive else 0,
        "sha256": None,
        "whole": False,
        "generations": None,
    }
    return fields | _lists(content)


def inside(archive: bytes) -> dict[str, Any]:
    """What a whole archive is, and which generations of outlines it holds."""
    digest = hashlib.sha256(archive).hexdigest()
    return {"whole": True, "sha256": digest, "bytes": len(archive), "generations": _generations(archive)}


def _lists(content: dict[str, Any]) -> dict[str, Any]:
    if "jobs" in content:
        return {"jobs": {job["jobId"]: [job["version"], job["status"]] for job in content["jobs"]}}
    if "transitions" in content:
        rows = content["transitions"]
        return {"transitions": [[row["sequence"], row["fromStatus"], row["toStatus"]] for row in rows]}
    return {}


def _generations(archive: bytes) -> list[int] | None:
    """Of all that the annotations name; None when they are not in it, -1 for an archive that cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            paths = [path for path in CLASS_NAMES if path in opened.namelist()]
            names = [name for path in paths for name in _classes(opened, path)]
    except (zipfile.BadZipFile, zlib.error, ValueError):
        return [-1]
    found = {int(match[1]) for name in names if (match := GENERATION.fullmatch(name))}
    return sorted(found) if paths else None


def _classes(opened: zipfile.ZipFile, path: str) -> list[str]:
    return CLASS_NAMES[path](json.loads(opened.read(path)))
