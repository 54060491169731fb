"""Awkward names in a real archive, unpacked by other people's programs."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exports.archive.naming import Names
from exports.archive.zipping import Archive, Entry
from tests.judges import needs_7z, needs_java

ORIGINALS = [
    *("cell.png", "CELL.png", "Cell.tif", "cell", "cell_00000001.png"),
    *("é.png", "e\u0301.png", "É.png", "straße.png", "STRASSE.png", "ıI.png", "iİ.png", "각.png", "ﬁ.png"),
    *(
        "../../etc/passwd",
        "..",
        "...",
        ".",
        "",
        " ",
        "/",
        "\\",
        "/etc/passwd",
        "C:\\autoexec.bat",
        "a/../b.png",
    ),
    *("con", "CON.png", "com¹.png", "LPT9 .txt", "nul.tar.gz", "aux .", "conin$"),
    *(
        "-rf",
        "-rf.png",
        "~root.png",
        "~",
        "=cmd|' /C calc'!A0.png",
        "+1.png",
        "@sum",
        "$(reboot).png",
        "`id`.png",
    ),
    *(
        "🔬 细胞 клетки.png",
        "👩‍🔬.png",
        "שלום.png",
        "مرحبا.tif",
        "evil\u202egnp.exe",
        "\u2067x\u2069.png",
        "\ufeffbom.png",
    ),
    *("line\nbreak.png", "tab\t.png", "nul\0l.png", "\x1b[31mred.png", "\ud800.png", "soft\u00adhyphen.png"),
    *("a?b*c<d>e|f\"g'h.png", "100%.png", "a#b&c.png", "trailing. . ", "dots....png", "x.png.", "ends .png"),
    *("x" * 255, "x" * 251 + ".png", "x" * 250 + "y.png", "é" * 127 + ".png", "細" * 85, "😀" * 63 + ".tif"),
]
SUFFIXES = ("_overlay.png", "_RoiSet.zip", "_labels.tif", "_seg.npy", ".geojson")
LISTING = """
import java.io.*; import java.util.zip.*;

public class Listing {
    public static void main(String[] args) throws Exception {
        ZipInputStream zip = new ZipInputStream(new FileInputStream(args[0]));
        try (PrintStream lines = new PrintStream(args[1], "UTF-8")) {
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null; )
                lines.println(entry.getName() + "|" + new String(zip.readAllBytes(), "UTF-8"));
        }
    }
}
"""


def paths() -> list[str]:
    names = Names()
    given = [names.add(f"{number:08d}-aaaa", original) for number, original in enumerate(ORIGINALS)]
    made = [f"made/{name.stem}{suffix}" for name in given for suffix in SUFFIXES]
    return [*(f"images/{name.name}" for name in given), *made]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Each entry holds its own path."""
    file = io.BytesIO()
    writer = Archive(file, datetime(2026, 3, 4, tzinfo=UTC), lambda: None)
    for path in paths():
        writer.add(Entry(path, path.encode()))
    writer.close()
    (tmp_path / "archive.zip").write_bytes(file.getvalue())
    return tmp_path / "archive.zip"


def test_there_is_a_name_for_every_image() -> None:
    folded = {path.casefold() for path in paths()}
    assert len(folded) == len(ORIGINALS) * (1 + len(SUFFIXES))


def by_python(archive: Path, folder: Path) -> None:
    zipfile.ZipFile(archive).extractall(folder)


def by_unzip(archive: Path, folder: Path) -> None:
    _run("unzip", "-q", archive, "-d", folder)


def by_7z(archive: Path, folder: Path) -> None:
    _run("7z", "x", "-y", f"-o{folder}", archive)


@pytest.mark.parametrize("unpack", [by_python, by_unzip, pytest.param(by_7z, marks=needs_7z)])
def test_all_are_there_when_unpacked_and_none_elsewhere(
    archive: Path, tmp_path: Path, unpack: Callable[[Path, Path], None]
) -> None:
    folder = tmp_path / "somewhere" / "unpacked"
    folder.mkdir(parents=True)
    unpack(archive, folder)
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == {path: path for path in paths()}
    assert {each.name for each in tmp_path.iterdir()} == {"archive.zip", "somewhere"}
    assert [each.name for each in folder.parent.iterdir()] == ["unpacked"]


@needs_java
def test_java_reads_every_name_from_the_stream(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "Listing.java").write_text(LISTING)
    _run("java", tmp_path / "Listing.java", archive, tmp_path / "lines")
    lines = (tmp_path / "lines").read_text(encoding="utf-8").splitlines()
    assert lines == [f"{path}|{path}" for path in paths()]


def test_a_shell_that_names_all_files_gives_no_options(archive: Path, tmp_path: Path) -> None:
    """`ls *` inside the folder: a name that begins with a dash would be an option."""
    by_python(archive, tmp_path)
    counted = subprocess.run(
        "ls -1d * | wc -l", shell=True, cwd=tmp_path / "images", check=True, capture_output=True, text=True
    )
    assert int(counted.stdout) == len(ORIGINALS)


def _run(*command: str | Path) -> None:
    subprocess.run(
        command, env=os.environ | {"LC_ALL": "C.UTF-8"}, check=True, capture_output=True, timeout=60
    )
