"""What one side did: the archive that it wrote, judged by counting, and what it cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from bench.stopwatch import Spent

COMPRESSED = frozenset({".png", ".jpg", ".jpeg", ".xlsx"})
_ONCE_AN_ANNOTATION = b'"iscrowd"'


@dataclass
class Outcome:
    stages: dict[str, Spent]
    counts: dict[str, int] = field(default_factory=dict)
    max_rss: int = 0
    """Bytes, by the kernel's account of the process."""

    @property
    def wall(self) -> float:
        return sum(spent.wall for spent in self.stages.values())

    @property
    def cpu(self) -> float:
        return sum(spent.cpu for spent in self.stages.values())

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "wall": self.wall, "cpu": self.cpu}


def counts_of(archive: Path) -> dict[str, int]:
    """What an archive holds; `deflated_again` are its entries that were compressed before."""
    with ZipFile(archive) as opened:
        entries = opened.infolist()
        objects = _annotation_count(opened)
    folders = Counter(entry.filename.partition("/")[0] for entry in entries)
    again = [each for each in entries if _is_compressed(each.filename) and each.compress_type != ZIP_STORED]
    return {
        "bytes": archive.stat().st_size,
        "entries": len(entries),
        "originals": folders["images"],
        "overlays": folders["visualizations"],
        "objects": objects,
        "deflated_again": len(again),
    }


def _annotation_count(archive: ZipFile) -> int:
    """Without parsing: that would take more memory than either side, and its peak is measured."""
    found, before = 0, b""
    with archive.open("annotations/coco/annotations.json") as file:
        while chunk := file.read(1 << 20):
            found += (before + chunk).count(_ONCE_AN_ANNOTATION)
            before = chunk[1 - len(_ONCE_AN_ANNOTATION) :]
    return found


def _is_compressed(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in COMPRESSED
