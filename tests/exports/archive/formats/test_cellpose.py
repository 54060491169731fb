from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import regionprops
from skimage.segmentation import find_boundaries

from exports.archive.dataset import Image, Points
from exports.archive.formats import cellpose
from exports.archive.formats.cellpose import Cellpose, outlines
from exports.archive.formats.masks import Masks
from exports.archive.zipping import CHUNK
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square

HEADER = 128
"""Bytes in front of what is pickled."""

DOCUMENTED = {"filename", "masks", "outlines", "chan_choose", "ismanual", "flows"}
"""https://cellpose.readthedocs.io/en/latest/outputs.html; `zdraw` is for stacks."""

READ_BY_ITS_WINDOW = {"colors", "manual_changes", "est_diam", "diameter"}


def exported(folder: Path, image: Image) -> bytes:
    (entry,) = Cellpose(dataset_of(folder, image)).add(image)
    assert entry.path == f"annotations/cellpose/{image.stem}_seg.npy"
    return content_of(entry)


def read(folder: Path, image: Image) -> dict[str, Any]:
    found: dict[str, Any] = np.load(io.BytesIO(exported(folder, image)), allow_pickle=True).item()
    return found


def disc(x: float, y: float, diameter: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    return np.column_stack([x + diameter / 2 * np.cos(angles), y + diameter / 2 * np.sin(angles)])


def rim(labels: NDArray[Any]) -> NDArray[Any]:
    """What scikit-image takes for the rim of each object, in an image with nothing around it."""
    framed = np.pad(labels, 1)
    return (framed * find_boundaries(framed, connectivity=1, mode="inner"))[1:-1, 1:-1]


OVERLAPPING = objects_of(
    [[square(2, 2, 20), square(6, 6, 5)]], [[square(15, 15, 20)], [square(45, 4, 4)]], [[disc(40, 30, 20)]]
)


def test_all_that_cellpose_documents_and_its_window_reads_is_there(tmp_path: Path) -> None:
    assert set(read(tmp_path, image_of(OVERLAPPING))) == DOCUMENTED | READ_BY_ITS_WINDOW


def test_masks_are_the_label_image(tmp_path: Path) -> None:
    image = image_of(OVERLAPPING)
    (labels,) = Masks(dataset_of(tmp_path, image)).add(image)
    masks = read(tmp_path, image)["masks"]
    assert masks.dtype == np.uint16
    assert np.array_equal(masks, tifffile.imread(io.BytesIO(content_of(labels))))
    assert [region.label for region in regionprops(masks)] == [1, 2, 3]


def test_outlines_are_the_rims_of_the_masks(tmp_path: Path) -> None:
    found = read(tmp_path, image_of(OVERLAPPING))
    assert np.array_equal(found["outlines"], rim(found["masks"]))


@pytest.mark.parametrize("at_once", [1, 1000, 10**6])
def test_outlines_do_not_depend_on_how_much_is_done_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.random.default_rng(5).integers(0, 3, (57, 81)).astype(np.uint16)
    monkeypatch.setattr(cellpose, "_PIXELS_AT_ONCE", at_once)
    assert np.array_equal(outlines(labels, lambda: None), rim(labels))


def test_its_window_can_write_into_the_masks(tmp_path: Path) -> None:
    found = read(tmp_path, image_of(OVERLAPPING))
    assert found["masks"].flags.writeable
    assert found["outlines"].flags.writeable


@pytest.mark.parametrize("hidden_last", [square(90, 1, 5), square(40.6, 1.6, 0.2)])
def test_lists_are_as_long_as_the_highest_number_in_the_masks(tmp_path: Path, hidden_last: Points) -> None:
    found = read(tmp_path, image_of(objects_of([[square(1, 1, 5)]], [[square(9, 9, 5)]], [[hidden_last]])))
    assert found["masks"].max() == 2
    assert (found["colors"].shape, found["colors"].dtype) == ((2, 3), np.uint8)
    assert (found["ismanual"].tolist(), found["ismanual"].dtype) == ([False, False], np.bool_)


def test_colours_of_neighbours_in_number_differ_clearly(tmp_path: Path) -> None:
    squares = [[[square(column * 6, 1, 4)]] for column in range(10)]
    colours = read(tmp_path, image_of(objects_of(*squares)))["colors"].astype(int)
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 100
    assert len(np.unique(colours, axis=0)) == 10


def test_the_image_is_found_by_its_name_in_the_archive(tmp_path: Path) -> None:
    assert read(tmp_path, image_of(name="a b.png", original_name="a/b.png"))["filename"] == "a b.png"


def test_the_diameter_is_that_of_the_discs(tmp_path: Path) -> None:
    discs = [[[disc(x, y, 14)]] for x, y in ((10.2, 10.4), (40.6, 12.1), (30.5, 35.5))]
    found = read(tmp_path, image_of(objects_of(*discs)))
    assert found["est_diam"] == found["diameter"] == pytest.approx(14, abs=0.3)


def test_an_image_without_objects_opens_with_the_diameter_cellpose_begins_with(tmp_path: Path) -> None:
    found = read(tmp_path, image_of())
    assert (found["masks"].shape, found["masks"].any(), found["outlines"].any()) == ((48, 64), False, False)
    assert (found["colors"].shape, found["ismanual"].shape, found["est_diam"]) == ((0, 3), (0,), 30.0)


def test_masks_of_several_megabytes_are_read_back(tmp_path: Path) -> None:
    found = read(tmp_path, image_of(objects_of([[square(100, 50, 900)]]), width=1500, height=1001))
    assert found["masks"].nbytes > 2 * CHUNK
    assert found["masks"][50:950, 100:1000].all()
    assert np.count_nonzero(found["masks"]) == 900**2


def test_only_names_that_every_numpy_has_are_pickled(tmp_path: Path) -> None:
    content = exported(tmp_path, image_of(OVERLAPPING))
    operations = list(pickletools.genops(content[HEADER:]))
    texts = {argument for operation, argument, _ in operations if "UNICODE" in operation.name}
    assert not [operation for operation, _, _ in operations if operation.name == "GLOBAL"]
    assert {"numpy", "array", "ndarray"} <= texts
    assert not [text for text in texts if text.startswith(("numpy.", "_"))]


def test_what_overlaps_and_what_is_not_seen_is_counted_over_all_images(tmp_path: Path) -> None:
    image = image_of(objects_of([[square(1, 1, 9)]], [[square(5, 5, 9)]], [[square(90, 1, 3)]]))
    writer = Cellpose(dataset_of(tmp_path, image, image))
    for _ in range(2):
        [content_of(entry) for entry in writer.add(image)]
    assert writer.lost == {"overlaps": 2, "absent": 2}


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    assert exported(tmp_path, image_of(OVERLAPPING)) == exported(tmp_path, image_of(OVERLAPPING))


coordinates = st.floats(-100, 100) | st.sampled_from([0.0, 0.5, 2.0**24, -(2.0**24)])
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=6).map(np.array)


@given(st.lists(st.lists(rings, min_size=1, max_size=3), max_size=5))
def test_any_outlines_are_written(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[Points]]
) -> None:
    found = read(tmp_path_factory.getbasetemp(), image_of(objects_of(*[[part] for part in parts])))
    assert len(found["colors"]) == found["masks"].max() <= len(parts)


class Cancelled(Exception):
    pass


def ending_at(count: int) -> Callable[[], None]:
    """A checkpoint that ends the export when it is called for the `count`th time."""
    calls: list[None] = []

    def checkpoint() -> None:
        calls.append(None)
        if len(calls) == count:
            raise Cancelled

    return checkpoint


def test_an_export_that_has_to_end_ends_between_two_bands_of_outlines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cellpose, "_PIXELS_AT_ONCE", 1)
    with pytest.raises(Cancelled):
        outlines(np.zeros((9, 9), np.uint16), ending_at(9))


def test_an_export_that_has_to_end_ends_within_a_file(tmp_path: Path) -> None:
    image = image_of(width=2000, height=1001)
    with pytest.raises(Cancelled):
        list(Cellpose(dataset_of(tmp_path, image, checkpoint=ending_at(8))).add(image))
