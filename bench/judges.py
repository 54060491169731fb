"""What other people's programs find in the archive that `bench.everything` left: unzip, 7z, a Java stream, counts."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from zipfile import ZipFile

import orjson

from bench.everything import published
from bench.outcome import Outcome
from bench.stopwatch import Stopwatch
from projects.models import Project

JAVA = """
import java.io.*; import java.util.zip.*;

public class Count {
    public static void main(String[] paths) throws IOException {
        long entries = 0, bytes = 0;
        byte[] buffer = new byte[1 << 20];
        try (ZipInputStream zip = new ZipInputStream(new BufferedInputStream(new FileInputStream(paths[0])))) {
            while (zip.getNextEntry() != null) {
                entries++;
                for (int read; (read = zip.read(buffer)) > 0; ) bytes += read;
            }
        }
        System.out.println(entries + " " + bytes);
    }
}
"""


def export(project: Project, folder: Path) -> Outcome:
    """Raise CalledProcessError for an archive that one of them refuses. It is removed."""
    archive, watch = published(project), Stopwatch()
    with ZipFile(archive) as opened:
        listed = [(entry.filename, entry.file_size) for entry in opened.infolist()]
        manifest = orjson.loads(opened.read("manifest.json"))
    subprocess.run(["unzip", "-tqq", archive], check=True)
    subprocess.run(["7z", "t", "-bso0", "-bsp0", archive], check=True)
    entries, content = _java(archive)
    counts = {
        "entries": len(listed),
        "content": sum(size for _, size in listed),
        "java_entries": entries,
        "java_content": content,
        "files_in_manifest": len(manifest["files"]),
        "parts": len(manifest["counts"]["written"]),
    }
    for what in ("images", "objects"):
        written = {part[what] for part in manifest["counts"]["written"].values()}
        counts |= {f"least_{what}": min(written), f"most_{what}": max(written)}
    archive.unlink()
    return Outcome(watch.stop(), counts)


def _java(archive: Path) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "Count.java"
        program.write_text(JAVA)
        said = subprocess.run(["java", program, archive], check=True, capture_output=True, text=True)
    entries, content = map(int, said.stdout.split())
    return entries, content
