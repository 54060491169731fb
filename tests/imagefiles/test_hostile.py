"""Every file is opened in a process of its own, so that one that kills it, or fills the memory, is seen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from imagefiles.display import for_display
from imagefiles.headers import UnreadableImage, read_stored
from tests.imagefiles import hostile
from tests.imagefiles.pictures import GREY, by_pillow, by_tifffile

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 5.0
MOST_BYTES = 120_000_000


class Opened(NamedTuple):
    outcome: str
    seconds: float
    grown: int


Files = dict[str, bytes]
KINDS: dict[str, Files] = {
    "harmless": dict(hostile.harmless()),
    "bombs": dict(hostile.bombs()),
    "disguised": dict(hostile.disguised()),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opened]:
    folder = tmp_path_factory.mktemp("hostile")
    for files in KINDS.values():
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return _in_a_child(folder)


@pytest.mark.parametrize("name", [*KINDS["bombs"], *KINDS["disguised"]])
def test_what_was_made_to_harm_is_unreadable_and_said_calmly(opened: dict[str, Opened], name: str) -> None:
    kind, _, sentence = opened[name].outcome.partition(": ")
    assert kind == "unreadable"
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "/" not in sentence


@pytest.mark.parametrize("name", KINDS["harmless"])
def test_what_is_only_odd_is_shown(opened: dict[str, Opened], name: str) -> None:
    assert opened[name].outcome == "shown"


@pytest.mark.parametrize("name", [name for files in KINDS.values() for name in files])
def test_none_takes_long_or_much_memory(opened: dict[str, Opened], name: str) -> None:
    assert opened[name].seconds < MOST_SECONDS
    assert opened[name].grown < MOST_BYTES


@pytest.mark.parametrize(
    "make", [lambda: by_pillow("PNG"), lambda: by_pillow("JPEG"), lambda: by_pillow("BMP")]
)
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.6, 0.95])
def test_a_file_that_was_cut_off_is_unreadable(
    tmp_path: Path, make: Callable[[], bytes], kept: float
) -> None:
    _refused(tmp_path, make()[: int(len(make()) * kept)])


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"compression": "lzw"}, {"tile": (16, 16)}], ids=str
)
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.6, 0.95])
def test_a_tiff_that_was_cut_off_is_unreadable(
    tmp_path: Path, options: dict[str, object], kept: float
) -> None:
    content = by_tifffile(np.tile(GREY, (4, 4)), **options)
    _refused(tmp_path, content[: int(len(content) * kept)])


def test_a_file_that_vanishes_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="cannot be found"):
        for_display(tmp_path / "gone.png", width=64, height=48)


def test_a_folder_in_the_place_of_a_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="cannot be found"):
        for_display(tmp_path, width=64, height=48)


def test_a_picture_for_which_there_is_no_memory_is_unreadable(tmp_path: Path) -> None:
    """A limit on the process's memory, in a child: its decoder asks for more."""
    content = by_tifffile(np.zeros((20_000, 20_000), np.uint8), compression="zstd")
    (tmp_path / "large.tif").write_bytes(content + bytes(2_000_000))
    outcome = _in_a_child(tmp_path, "200000000")["large.tif"].outcome
    assert outcome == "unreadable: The image takes more memory than there is."


def _in_a_child(*arguments: Path | str) -> dict[str, Opened]:
    command = [sys.executable, "-m", "tests.imagefiles.opened", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return {name: Opened(*rest) for name, *rest in lines}


def _refused(folder: Path, content: bytes) -> None:
    (folder / "cut").write_bytes(content)
    with pytest.raises(UnreadableImage) as raised:
        _show(folder / "cut")
    assert str(folder) not in str(raised.value)


def _show(path: Path) -> None:
    header = read_stored(path)
    for_display(path, width=header.width, height=header.height)
