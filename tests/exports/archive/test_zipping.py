from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exports.archive.zipping import CHUNK, Archive, ChangedFile, Entry, Spool, UnreadableFile

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


def nothing() -> None:
    pass


def archive_of(*entries: Entry, zip64_from: int = 1 << 31) -> bytes:
    file = io.BytesIO()
    archive = Archive(file, MOMENT, nothing, zip64_from=zip64_from)
    for entry in entries:
        archive.add(entry)
    archive.close()
    return file.getvalue()


def read(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def spool_of(folder: Path, *chunks: bytes) -> Spool:
    spool = Spool(folder)
    for chunk in chunks:
        spool.write(chunk)
    return spool


def sample(folder: Path) -> list[Entry]:
    (folder / "big.bin").write_bytes(bytes(range(256)) * 12_000)
    return [
        Entry("README.md", b"hello " * 1000),
        Entry("images/zelle ü 細胞.png", folder / "big.bin"),
        Entry("annotations/all.json", spool_of(folder, b"[1", b",2" * 500_000, b"]")),
        Entry("empty.txt", b""),
        Entry("empty spool.txt", spool_of(folder)),
    ]


def test_what_was_added_comes_out_again_in_the_same_order(tmp_path: Path) -> None:
    archive = read(archive_of(*sample(tmp_path)))
    assert [info.file_size for info in archive.infolist()] == [6000, 256 * 12_000, 1_000_003, 0, 0]
    assert archive.read("images/zelle ü 細胞.png") == (tmp_path / "big.bin").read_bytes()
    assert archive.read("annotations/all.json") == b"[1" + b",2" * 500_000 + b"]"


@pytest.mark.parametrize("zip64_from", [1 << 31, 0])
@pytest.mark.parametrize("reader", [["unzip", "-tq"], ["jar", "tf"]])
def test_foreign_programs_accept_it(tmp_path: Path, reader: list[str], zip64_from: int) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(archive_of(*sample(tmp_path), zip64_from=zip64_from))
    environment = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    result = subprocess.run([*reader, path], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_zip64_records_are_read_back(tmp_path: Path) -> None:
    content = archive_of(*sample(tmp_path), zip64_from=0)
    assert b"PK\6\6" in content
    assert all(info.extract_version == 45 for info in read(content).infolist())


def test_small_archives_have_no_zip64_records(tmp_path: Path) -> None:
    assert b"PK\6\6" not in archive_of(*sample(tmp_path))


def test_more_entries_than_a_plain_zip_can_count() -> None:
    archive = read(archive_of(*(Entry(f"{number}.txt", b"") for number in range(65_536))))
    assert len(archive.infolist()) == 65_536


def test_no_entry_has_a_data_descriptor(tmp_path: Path) -> None:
    assert {info.flag_bits for info in read(archive_of(*sample(tmp_path))).infolist()} == {0x800}


@pytest.mark.parametrize(
    ("path", "content", "method"),
    [
        ("a.PNG", b"0" * 1000, zipfile.ZIP_STORED),
        ("a.jpeg", b"0" * 1000, zipfile.ZIP_STORED),
        ("a.xlsx", b"0" * 1000, zipfile.ZIP_STORED),
        ("a.tif", b"0" * 1000, zipfile.ZIP_DEFLATED),
        ("a.tif", hashlib.shake_128(b"noise").digest(1000), zipfile.ZIP_STORED),
        ("a.json", b"0" * 1000, zipfile.ZIP_DEFLATED),
    ],
)
def test_only_what_is_not_yet_compressed_is_deflated(path: str, content: bytes, method: int) -> None:
    assert read(archive_of(Entry(path, content))).getinfo(path).compress_type == method


def test_the_same_entries_give_the_same_bytes(tmp_path: Path) -> None:
    assert archive_of(*sample(tmp_path)) == archive_of(*sample(tmp_path))


@pytest.mark.parametrize(
    ("changed_at", "stamp"),
    [
        (MOMENT, (2026, 3, 4, 5, 6, 8)),
        (datetime(1970, 5, 5, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2999, 5, 5, tzinfo=UTC), (2107, 1, 1, 0, 0, 0)),
    ],
)
def test_every_entry_has_the_time_of_the_newest_change(changed_at: datetime, stamp: tuple[int, ...]) -> None:
    file = io.BytesIO()
    archive = Archive(file, changed_at, nothing)
    archive.add(Entry("a", b""))
    archive.close()
    info = read(file.getvalue()).getinfo("a")
    assert (info.date_time, info.external_attr >> 16) == (stamp, 0o100644)


@pytest.mark.parametrize("kind", ["bytes", "path", "spool"])
def test_it_tells_size_and_digest_of_what_it_wrote(tmp_path: Path, kind: str) -> None:
    plain = b"text " * 300_000
    (tmp_path / "file").write_bytes(plain)
    contents: dict[str, bytes | Path | Spool] = {
        "bytes": plain,
        "path": tmp_path / "file",
        "spool": spool_of(tmp_path, plain),
    }
    written = Archive(io.BytesIO(), MOMENT, nothing).add(Entry("a.txt", contents[kind]))
    assert (written.size, written.sha256) == (len(plain), hashlib.sha256(plain).hexdigest())


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "a\\b", "a//b", "./a", "a/", "a\nb", "."])
def test_paths_that_lead_out_of_the_archive_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        archive_of(Entry(path, b""))


def test_a_path_is_taken_once_whatever_its_case() -> None:
    with pytest.raises(ValueError, match="already"):
        archive_of(Entry("images/a.png", b""), Entry("Images/A.PNG", b""))


def vanished(folder: Path) -> Entry:
    return Entry("images/bad.png", folder / "vanished.png")


def changed(folder: Path) -> Entry:
    (folder / "changed.png").write_bytes(bytes(3 * CHUNK))
    return Entry("images/bad.png", folder / "changed.png", sha256="0" * 64)


@pytest.mark.parametrize(("bad", "error"), [(vanished, UnreadableFile), (changed, ChangedFile)])
def test_one_bad_file_leaves_no_trace(
    tmp_path: Path, bad: Callable[[Path], Entry], error: type[Exception]
) -> None:
    file = io.BytesIO()
    archive = Archive(file, MOMENT, nothing)
    archive.add(Entry("first.txt", b"first"))
    with pytest.raises(error):
        archive.add(bad(tmp_path))
    archive.add(Entry("last.txt", b"last"))
    archive.close()
    assert file.getvalue() == archive_of(Entry("first.txt", b"first"), Entry("last.txt", b"last"))


def test_a_folder_in_place_of_a_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        archive_of(Entry("a.png", tmp_path))


def test_a_cancel_is_seen_while_a_big_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "big.png").write_bytes(bytes(10 * CHUNK))
    seen: list[int] = []
    file = io.BytesIO()

    def checkpoint() -> None:
        seen.append(file.tell())
        if len(seen) == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Archive(file, MOMENT, checkpoint).add(Entry("big.png", tmp_path / "big.png"))
    assert seen[-1] < 4 * CHUNK
    assert file.getvalue() == b""
