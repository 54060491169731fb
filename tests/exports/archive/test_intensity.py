from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import regionprops

from exports.archive import intensity, labels
from exports.archive.columns import object_measures
from exports.archive.dataset import FARTHEST, Image, Objects, Points
from exports.archive.intensity import intensities
from exports.archive.labels import label_image
from exports.archive.measure import left_out_of, measure, measurements_of
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import blob

HEIGHT, WIDTH = 90, 140
PROPERTIES = [f"intensity_{name}" for name in ("mean", "std", "min", "max", "median")]
Array = NDArray[Any]


APART = [
    [[blob(20.3, 20.1, 14), blob(20, 20, 5)]],
    [[blob(60.7, 22.9, 13)]],
    [[blob(100, 20, 8)], [blob(120, 60, 11)]],
    [[square(2.2, 50.3, 0.9)]],
    [[blob(139, 89, 14)]],
    [[blob(50, 66, 16)]],
]
"""Objects that do not touch: with a hole, of two parts, of one pixel, cut off by the edge of the image."""


def mask_of(parts: list[list[Points]]) -> NDArray[np.bool_]:
    """Of GEOS: the pixels whose centre lies inside."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shape = shapely.union_all([shapely.Polygon(outer, holes) for outer, *holes in parts])
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, columns + 0.5, rows + 0.5))


def noise(dtype: str, channels: int = 1, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> Array:
    random = np.random.default_rng(7)
    if dtype.startswith("float"):
        return random.normal(3, 1e3, (*shape, channels)).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max, (*shape, channels), dtype, endpoint=True)


def measured(objects: Objects, pixels: Array) -> Array:
    """(N, channels, STATISTICS)"""
    found = intensities(objects, pixels, lambda: None)
    return found.reshape(len(objects), pixels.shape[2], intensity.STATISTICS)


def of_numpy(pixels: Array, mask: NDArray[np.bool_]) -> list[float]:
    values = pixels[mask].astype(np.float64)
    return [values.mean(), values.std(), values.min(), values.max(), np.median(values), values.sum()]


@pytest.mark.parametrize(
    ("dtype", "channels"),
    [("uint8", 3), ("uint16", 1), ("float32", 1), ("int16", 2), ("float64", 1), ("uint32", 1)],
)
def test_scikit_image_measures_the_same(dtype: str, channels: int) -> None:
    pixels, drawn = noise(dtype, channels), np.zeros((HEIGHT, WIDTH), np.uint16)
    for number, parts in enumerate(APART, 1):
        drawn[mask_of(parts)] = number
    # In double precision: scikit-image adds up values in their own.
    regions = regionprops(drawn, intensity_image=pixels.astype(np.float64))
    found = measured(objects_of(*APART), pixels)
    assert [region.label for region in regions] == [1, 2, 3, 4, 5, 6]
    for region, ours in zip(regions, found, strict=True):
        theirs = np.array([np.broadcast_to(region[name], channels) for name in PROPERTIES]).T
        np.testing.assert_allclose(ours[:, :5], theirs, rtol=1e-12)
        sums = [region.image_intensity[..., channel].sum() for channel in range(channels)]
        np.testing.assert_allclose(ours[:, 5], sums, rtol=1e-12)


def test_the_sum_of_whole_numbers_is_exact() -> None:
    pixels = noise("uint16")
    (found,) = measured(objects_of([[square(0, 0, 90)]]), pixels)
    assert found[0, 5] == int(pixels[:, :90].astype(object).sum())


def test_an_object_keeps_its_pixels_where_a_later_one_covers_them() -> None:
    pixels = noise("uint8")
    alone = measured(objects_of([[blob(40, 40, 20)]]), pixels)
    below = measured(objects_of([[blob(40, 40, 20)]], [[blob(45, 40, 25)]]), pixels)
    np.testing.assert_allclose(alone[0], below[0], rtol=1e-12)


def test_parts_that_overlap_count_their_common_pixels_once() -> None:
    pixels = noise("uint8")
    parts = [[blob(40, 40, 20)], [blob(55, 40, 20)]]
    np.testing.assert_allclose(
        measured(objects_of(parts), pixels)[0, 0], of_numpy(pixels[:, :, 0], mask_of(parts)), rtol=1e-12
    )


@pytest.mark.parametrize("place", [(5.6, 5.6), (500, 500), (-80, 3)])
def test_an_object_that_covers_no_pixel_has_no_values(place: tuple[float, float]) -> None:
    nowhere, somewhere = [[square(*place, 0.3)]], [[square(5, 5, 9)]]
    found = measured(objects_of(nowhere, somewhere, nowhere), noise("uint8", 3))
    assert np.isnan(found[[0, 2]]).all()
    assert np.isfinite(found[1]).all()


def test_what_is_no_number_is_left_out_channel_by_channel() -> None:
    pixels = noise("float32", 2)
    pixels[10:20, 10:14, 0], pixels[12, 16, 0], pixels[30:40, 30:40, 1] = np.nan, -np.inf, np.inf
    objects = objects_of([[square(10, 10, 10)]], [[square(30, 30, 10)]], [[square(50, 50, 10)]])
    found = measured(objects, pixels)
    known = pixels[10:20, 14:20, 0].astype(np.float64)
    known = known[np.isfinite(known)]
    assert found[0, 0, [0, 5]] == pytest.approx([known.mean(), known.sum()], rel=1e-12)
    assert np.isnan(found[1, 1]).all()
    assert np.isfinite(found[[0, 1, 2], [1, 0, 1]]).all()


@pytest.mark.parametrize(
    ("values", "median"), [([7, 1, 4], 4), ([7, 1, 4, 2], 3), ([255, 254], 254.5), ([9], 9)]
)
def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two(values: list[int], median: float) -> None:
    pixels = np.array(values, np.uint8).reshape(1, -1, 1)
    ring = np.array([(0.0, 0), (len(values), 0), (len(values), 1), (0, 1)])
    assert measured(objects_of([[ring]]), pixels)[0, 0, 4] == median


def test_values_near_the_largest_number_have_a_median_and_no_sum(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, np.full((48, 64), 1.5e308))
    image = image_of(objects_of([[square(0, 0, 4)]]), original=path)
    mean, deviation, least, most, median, total = measure(image, 1).objects[0, -6:]
    assert (least, most, median) == (1.5e308,) * 3
    assert np.isnan([mean, deviation, total]).all()


@pytest.mark.parametrize("at_once", [1, 7, 100, 1_000])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_size_of_the_batches_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, dtype: str, at_once: int
) -> None:
    pixels, objects = noise(dtype, 3), objects_of(*APART, [[square(-9, -9, 400)]], *APART[::-1])
    whole = measured(objects, pixels)
    monkeypatch.setattr(intensity, "_PIXELS_AT_ONCE", at_once)
    np.testing.assert_allclose(measured(objects, pixels), whole, rtol=1e-12)


def test_the_number_of_rows_drawn_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, objects = noise("uint16", 2), objects_of(*APART, *APART[::-1])
    whole = measured(objects, pixels)
    monkeypatch.setattr(labels, "_CROSSINGS_AT_ONCE", 5)
    np.testing.assert_allclose(measured(objects, pixels), whole, rtol=1e-12)


@pytest.mark.parametrize("others", [[], [[[square(70, 5, 4)]]]], ids=["alone", "beside another"])
def test_small_differences_of_large_values_are_not_lost(others: list[Any]) -> None:
    pixels = np.full((HEIGHT, WIDTH, 1), 4_000_000_000, np.uint32)
    pixels[:, ::2] += 1
    found = measured(objects_of([[square(0, 0, 60)]], *others), pixels)
    assert found[:, 0, 1].tolist() == [0.5] * len(found)


def test_an_object_as_large_as_a_batch_is_alone_in_it() -> None:
    side = 2_000  # pixels, squared four times what is measured at once
    sizes = (9, 5, side, 3, side, side, 7)
    objects = objects_of(*[[[square(0, 0, size)]] for size in sizes])
    assert list(intensity._batches(objects, side, side)) == [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]
    found = measured(objects, noise("uint16", shape=(side, side)))
    np.testing.assert_array_equal(found[2], found[4])
    np.testing.assert_allclose(
        found[4, 0],
        of_numpy(noise("uint16", shape=(side, side))[:, :, 0], np.ones((side, side), np.bool_)),
        rtol=1e-12,
    )


def test_batches_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intensity, "_PIXELS_AT_ONCE", 1_000)
    objects = objects_of(*[[[square(n, n, 9)]] for n in range(100)])
    found = list(intensity._batches(objects, 200, 200))
    assert [first for first, _ in found[1:]] == [last for _, last in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, 100)
    assert max(last - first for first, last in found) <= 20


class Cancelled(Exception):
    pass


def test_an_export_that_has_to_end_ends_within_an_image() -> None:
    def end() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        intensities(objects_of(*APART), noise("uint8"), end)


number = st.one_of(st.integers(-3, 30), st.floats(-60, 60), st.floats(-FARTHEST, FARTHEST))
ring = st.lists(st.tuples(number, number), min_size=3, max_size=6).map(lambda points: np.array(points, float))
outlines = st.lists(
    st.lists(st.lists(ring, min_size=1, max_size=2), min_size=1, max_size=2), min_size=1, max_size=4
)


@settings(max_examples=60)
@given(outlines, st.sampled_from(["uint8", "float32"]))
def test_whatever_the_outline_it_is_what_numpy_finds_under_the_mask(shapes: Any, dtype: str) -> None:
    pixels = noise(dtype, shape=(24, 32))
    found = measured(objects_of(*shapes), pixels)
    for parts, ours in zip(shapes, found, strict=True):
        mask = label_image(image_of(objects_of(parts), width=32, height=24), lambda: None).labels > 0
        if mask.any():
            np.testing.assert_allclose(ours[0], of_numpy(pixels[:, :, 0], mask), rtol=1e-9, atol=1e-9)
        else:
            assert np.isnan(ours).all()


def stored(folder: Path, pixels: Array, objects: Objects, **fields: Any) -> Image:
    path = folder / f"{fields.get('number', 1)}.tif"
    tifffile.imwrite(path, pixels.squeeze(), photometric="rgb" if pixels.shape[2] == 3 else "minisblack")
    return image_of(objects, original=path, width=WIDTH, height=HEIGHT, **fields)


def test_values_are_those_of_the_file_and_not_of_the_display(tmp_path: Path) -> None:
    pixels = (noise("uint16") // 64 + 100).astype(np.uint16)
    image = stored(tmp_path, pixels, objects_of(*APART))
    names = [column.name for column in object_measures(1)]
    maxima = measurements_of(image, dataset_of(tmp_path, image, channels=1)).objects[
        :, names.index("intensity_max_c1")
    ]
    assert maxima.tolist() == [pixels[mask_of(parts), 0].max() for parts in APART]
    assert maxima.min() > 255


def test_an_image_with_fewer_channels_has_no_values_in_the_others(tmp_path: Path) -> None:
    image = stored(tmp_path, noise("uint8"), objects_of(*APART))
    values = measure(image, 3).objects[:, -3 * intensity.STATISTICS :]
    assert np.isfinite(values[:, :6]).all()
    assert np.isnan(values[:, 6:]).all()


def test_channels_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8) + np.array([10, 20, 30], np.uint8)
    found = measure(stored(tmp_path, pixels, objects_of(*APART)), 3)
    names = [column.name for column in object_measures(3)]
    means = [found.objects[0, names.index(f"intensity_mean_c{channel}")] for channel in (1, 2, 3)]
    assert means == [10, 20, 30]


def test_shapes_do_not_depend_on_intensities(tmp_path: Path) -> None:
    image = stored(tmp_path, noise("uint8"), objects_of(*APART), pixel_size=0.5)
    without, found = measure(image), measure(image, 1)
    np.testing.assert_array_equal(found.objects[:, : without.objects.shape[1]], without.objects)
    np.testing.assert_array_equal(found.image, without.image)


def test_the_scale_changes_no_intensity(tmp_path: Path) -> None:
    small, large = (
        stored(tmp_path, noise("uint8"), objects_of(*APART), pixel_size=size) for size in (0.5, 2.0)
    )
    np.testing.assert_array_equal(measure(small, 1).objects[:, -6:], measure(large, 1).objects[:, -6:])


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_an_image_that_cannot_be_read_is_measured_without_intensities_and_listed(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    image = image_of(objects_of(*APART), original=path, original_name="broken.png")
    dataset = dataset_of(tmp_path, image, channels=2)
    values = measurements_of(image, dataset).objects
    (fault,) = left_out_of(image, dataset)
    assert np.isnan(values[:, -12:]).all()
    np.testing.assert_array_equal(values[:, :-12], measure(image).objects)
    assert (fault.original_name, fault.code, fault.stage) == (
        "broken.png",
        "image_unreadable",
        "metrics/intensity",
    )
    assert fault.sentence.startswith("Intensities: ")


def test_nothing_is_read_or_listed_where_there_is_nothing_to_measure(tmp_path: Path) -> None:
    empty, crowd = image_of(), image_of(objects_of(*APART))
    assert list(left_out_of(empty, dataset_of(tmp_path, channels=2))) == []
    assert list(left_out_of(crowd, dataset_of(tmp_path))) == []
    assert measure(empty, 2).objects.shape == (0, len(object_measures(2)))


def test_an_image_with_more_channels_than_was_announced_is_not_half_measured(tmp_path: Path) -> None:
    image = stored(tmp_path, noise("uint8", 3), objects_of(*APART))
    assert "more channels" in measure(image, 1).fault
