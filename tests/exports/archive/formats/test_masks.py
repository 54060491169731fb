from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.draw import polygon2mask
from skimage.measure import regionprops

from exports.archive.dataset import Image, Points
from exports.archive.formats.masks import Masks, encoded
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of, square

SIZE: dict[str, Any] = {"width": 200, "height": 160}


def exported(image: Image, **fields: Any) -> bytes:
    (entry,) = Masks(dataset_of(Path("/nowhere"), image, **fields)).add(image)
    assert entry.path == f"annotations/masks/{image.stem}_labels.tif"
    return content_of(entry)


def read(image: Image) -> NDArray[Any]:
    found: NDArray[Any] = tifffile.imread(io.BytesIO(exported(image)))
    return found


def star(seed: int, x: float, y: float, radius: float) -> Points:
    """A ring of 40 points that goes round its middle once, in and out."""
    random = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    reach = radius * (1 + 0.25 * np.sin(random.integers(2, 6) * angles + random.uniform(0, 6)))
    return np.column_stack([x + reach * np.cos(angles), y + reach * np.sin(angles)])


def test_values_are_object_ids_in_stored_order() -> None:
    found = read(image_of(objects_of([[square(1, 2, 3)]], [[square(10, 20, 5)]], [[square(30, 4, 6)]])))
    boxes = {region.label: region.bbox for region in regionprops(found)}
    assert boxes == {1: (2, 1, 5, 4), 2: (20, 10, 25, 15), 3: (4, 30, 10, 36)}


@given(st.integers(0, 2**32), st.floats(12, 35))
def test_scikit_image_measures_the_exact_outline_up_to_its_pixels(seed: int, radius: float) -> None:
    outer, hole = star(seed, 90.3, 80.7, radius), star(seed + 1, 90.3, 80.7, radius / 4)
    (region,) = regionprops(read(image_of(objects_of([[outer, hole]]), **SIZE)))
    exact = shapely.Polygon(outer, [hole])
    row, column = region.centroid
    assert region.area == pytest.approx(exact.area, abs=exact.length / 3)
    assert (column + 0.5, row + 0.5) == pytest.approx((exact.centroid.x, exact.centroid.y), abs=0.25)


@given(st.integers(0, 2**32), st.floats(12, 60))
def test_the_shape_is_the_one_that_scikit_image_draws(seed: int, radius: float) -> None:
    outer, hole = star(seed, 100, 80, radius), star(seed + 1, 100, 80, radius / 4)
    theirs, shape = read(image_of(objects_of([[outer, hole]]), **SIZE)) == 1, (SIZE["height"], SIZE["width"])
    ours = polygon2mask(shape, outer[:, ::-1] - 0.5) & ~polygon2mask(shape, hole[:, ::-1] - 0.5)
    assert (theirs & ours).sum() / (theirs | ours).sum() >= 0.99


def test_holes_stay_free_and_all_parts_are_there() -> None:
    parts = [[square(2, 2, 10), square(4, 4, 3)], [square(30, 10, 6)]]
    (region,) = regionprops(read(image_of(objects_of(parts))))
    assert (region.area, region.euler_number) == (100 - 9 + 36, 1)


def test_what_overlaps_and_what_is_not_seen_is_counted_over_all_images() -> None:
    image = image_of(objects_of([[square(1, 1, 9)]], [[square(5, 5, 9)]], [[square(90, 1, 3)]]))
    writer = Masks(dataset_of(Path("/nowhere"), image, image))
    for _ in range(2):
        list(writer.add(image))
    assert writer.lost == {"overlaps": 2, "absent": 2}


def test_an_image_without_objects_is_a_file_of_zeros() -> None:
    found = read(image_of())
    assert (found.shape, found.dtype, found.any()) == ((48, 64), np.uint16, False)


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
@pytest.mark.parametrize("shape", [(1, 1), (3, 200_000), (700, 1001)])
def test_every_pixel_is_read_back(kind: type[Any], shape: tuple[int, int]) -> None:
    labels = np.random.default_rng(1).integers(0, np.iinfo(kind).max, shape, kind, endpoint=True)
    found = tifffile.imread(io.BytesIO(encoded(labels, None, lambda: None)))
    assert found.dtype == kind
    assert np.array_equal(found, labels)


def test_the_file_is_one_that_imagej_opens() -> None:
    """It reads strips, deflated, classic TIFF; with a predictor it reads wrong numbers."""
    with tifffile.TiffFile(io.BytesIO(exported(image_of()))) as file:
        (page,) = file.pages
        assert (file.is_bigtiff, page.is_tiled) == (False, False)
        assert (page.compression, page.predictor) == (tifffile.COMPRESSION.ADOBE_DEFLATE, 1)


def test_imagej_takes_the_scale_from_the_file() -> None:
    with tifffile.TiffFile(io.BytesIO(exported(image_of(pixel_size=0.325)))) as file:
        metadata, tags = file.imagej_metadata, file.pages.first.tags
    numerator, denominator = tags["XResolution"].value
    assert metadata is not None
    assert metadata["unit"] == "um"
    assert denominator / numerator == pytest.approx(0.325)
    assert tags["YResolution"].value == (numerator, denominator)


def test_a_file_without_scale_claims_none() -> None:
    with tifffile.TiffFile(io.BytesIO(exported(image_of()))) as file:
        assert not file.is_imagej
        assert file.pages.first.tags["ResolutionUnit"].value == 1


def test_the_same_image_gives_the_same_bytes_without_time_or_program() -> None:
    first, second = (exported(image_of(objects_of([[square(3, 3, 9)]]), pixel_size=0.5)) for _ in range(2))
    assert first == second
    with tifffile.TiffFile(io.BytesIO(first)) as file:
        assert not {"DateTime", "Software", "HostComputer"} & {tag.name for tag in file.pages.first.tags}


class Cancelled(Exception):
    pass


def test_an_export_that_has_to_end_ends_within_a_file() -> None:
    def end() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        encoded(np.zeros((9, 9), np.uint16), None, end)
