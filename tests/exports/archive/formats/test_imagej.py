from __future__ import annotations

import io
import math
import subprocess
import zipfile
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roifile
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from exports.archive.dataset import FARTHEST, Image, Objects, Points
from exports.archive.formats.imagej import ImageJ
from tests.exports.archive.builders import dataset_of, image_of, objects_of, square
from tests.exports.archive.outlines import blob
from tests.judges import IMAGEJ, needs_imagej

WIDTH, HEIGHT = 320, 240
Parts = list[list[Points]]


SHAPES: dict[str, Parts] = {
    "one ring": [[blob(100, 80, 40)]],
    "one ring the other way round": [[blob(100, 80, 40)[::-1]]],
    "a hole": [[blob(100, 80, 60), blob(105, 75, 20)]],
    "two holes the same way round": [[blob(150, 120, 80), blob(120, 120, 15), blob(180, 120, 20)[::-1]]],
    "two parts": [[blob(70, 70, 40)], [blob(200, 150, 50)]],
    "parts, one with a hole": [[blob(70, 70, 40)], [blob(200, 150, 50), blob(200, 150, 20)]],
    "parts that overlap": [[blob(100, 80, 40)], [blob(130, 90, 40)]],
    "a part in the hole of another": [[blob(150, 120, 90), blob(150, 120, 50)], [blob(150, 120, 20)]],
    "a hole over the edge": [[blob(100, 80, 40), blob(130, 80, 30)]],
    "beyond every edge, with a hole": [[square(-50, -40, 900), blob(150, 100, 60)]],
    "more points than 16 bits count": [[blob(150, 120, 90, corners=70_000)]],
}


def exported(folder: Path, *images: Image, **fields: Any) -> list[bytes]:
    """The ZIP of each image."""
    writer = ImageJ(dataset_of(folder, *images, **fields))
    entries = [entry for image in images for entry in writer.add(image)] + list(writer.finish())
    assert [entry.path for entry in entries] == [
        f"annotations/imagej/{image.stem}_RoiSet.zip" for image in images
    ]
    return [entry.content for entry in entries if isinstance(entry.content, bytes)]


def rois_of(folder: Path, objects: Objects, **fields: Any) -> list[roifile.ImagejRoi]:
    """What roifile reads from the ZIP of one image."""
    (content,) = exported(folder, image_of(objects), **fields)
    path = folder / "RoiSet.zip"
    path.write_bytes(content)
    found = roifile.roiread(path)
    assert isinstance(found, list)
    return found


def shape_of(roi: roifile.ImagejRoi) -> Any:
    """What ImageJ fills: all that an odd number of rings goes around."""
    rings = [shapely.make_valid(shapely.Polygon(ring)) for ring in roi.coordinates(multi=True)]
    return reduce(shapely.symmetric_difference, rings)


def expected_shape(parts: Parts) -> Any:
    """Each part without its holes, all parts together."""
    shapes = [
        reduce(shapely.difference, [shapely.Polygon(hole) for hole in holes], shapely.Polygon(outer))
        for outer, *holes in parts
    ]
    return shapely.union_all(shapes)


def overlap(first: Any, second: Any) -> float:
    """Intersection over union."""
    return shapely.intersection(first, second).area / shapely.union(first, second).area


@pytest.mark.parametrize("shape", SHAPES)
def test_roifile_reads_the_stored_shape(tmp_path: Path, shape: str) -> None:
    (roi,) = rois_of(tmp_path, objects_of(SHAPES[shape]))
    assert overlap(shape_of(roi), expected_shape(SHAPES[shape])) >= 0.99999


def test_the_points_of_a_polygon_are_the_stored_ones_in_32_bits(tmp_path: Path) -> None:
    ring = np.array([(0.1, 1 / 3), (70.5, 2), (-5.3, 7.25), (40_000.125, 50_000)])
    (roi,) = rois_of(tmp_path, objects_of([[ring]]))
    assert roi.roitype == roifile.ROI_TYPE.POLYGON
    np.testing.assert_array_equal(roi.coordinates(), ring.astype(np.float32))


def test_holes_turn_against_the_ring_around_them(tmp_path: Path) -> None:
    (roi,) = rois_of(tmp_path, objects_of(SHAPES["two holes the same way round"]))
    turns = [shapely.LinearRing(ring).is_ccw for ring in roi.coordinates(multi=True)]
    assert turns in ([True, False, False], [False, True, True])


def test_entries_and_rois_are_named_by_the_object_id_and_stand_in_its_order(tmp_path: Path) -> None:
    objects = objects_of(*[[[square(n, n, 5)]] for n in range(12)])
    names = [str(number) for number in range(1, 13)]
    assert [roi.name for roi in rois_of(tmp_path, objects)] == names
    entries = zipfile.ZipFile(tmp_path / "RoiSet.zip").namelist()
    assert entries == [f"{name}.roi" for name in names]


def test_class_and_score_are_properties_and_the_class_is_the_group(tmp_path: Path) -> None:
    objects = objects_of([[square(1, 1, 5)]], [[square(9, 9, 5)]], classes=[1, 0], scores=[0.75, np.nan])
    first, second = rois_of(tmp_path, objects, class_names=("cell", "nucleus"))
    assert (first.group, first.properties) == (2, {"class": "nucleus", "score": 0.75})
    assert (second.group, second.properties) == (1, {"class": "cell"})


def test_a_class_beyond_the_groups_of_imagej_has_none(tmp_path: Path) -> None:
    objects = objects_of([[square(1, 1, 5)]], [[square(9, 9, 5)]], classes=[254, 255])
    first, second = rois_of(tmp_path, objects, class_names=tuple(f"class {n}" for n in range(256)))
    assert (first.group, second.group) == (255, 0)
    assert second.properties["class"] == "class 255"


@pytest.mark.parametrize("name", ["cellule é", "细胞", "🧫 b", "a\\u12", "a\nscore: 1", " a: b=c", "#!", ""])
def test_any_class_name_is_one_line_of_ascii_that_reads_back(tmp_path: Path, name: str) -> None:
    (roi,) = rois_of(tmp_path, objects_of([[square(1, 1, 5)]]), class_names=(name,))
    assert roi.props.startswith("class: ")
    assert (roi.props.isascii(), roi.props.count("\n"), roi.props[-1]) == (True, 1, "\n")
    units = roi.props[7:-1].encode().decode("unicode_escape")
    assert units.encode("utf-16", "surrogatepass").decode("utf-16") == name


def test_an_image_without_objects_has_an_empty_zip(tmp_path: Path) -> None:
    assert rois_of(tmp_path, Objects.none()) == []
    assert zipfile.ZipFile(tmp_path / "RoiSet.zip").namelist() == []


def test_two_builds_give_the_same_bytes_and_the_time_of_the_newest_change(tmp_path: Path) -> None:
    images = [image_of(objects_of(*SHAPES.values())), image_of(number=2)]
    first, second = exported(tmp_path, *images), exported(tmp_path, *images)
    assert first == second
    entries = zipfile.ZipFile(io.BytesIO(first[0])).infolist()
    assert {entry.date_time for entry in entries} == {(2026, 3, 4, 5, 6, 8)}


def test_more_objects_than_a_zip_without_zip64_lists(tmp_path: Path) -> None:
    count = 65_537
    corners = np.tile([(1.0, 1), (5, 1), (5, 5)], (count, 1))
    numbers, zeros = np.arange(count), np.zeros(count, np.int64)
    objects = Objects(corners, np.arange(0, 3 * count + 1, 3), numbers, zeros, zeros, np.full(count, np.nan))
    (content,) = exported(tmp_path, image_of(objects))
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert names == [f"{number}.roi" for number in range(1, count + 1)]


def test_an_export_that_has_to_end_ends_within_an_image(tmp_path: Path) -> None:
    calls: list[int] = []
    objects = objects_of(*[[[square(n, n, 5)]] for n in range(50)])
    exported(tmp_path, image_of(objects), checkpoint=lambda: calls.append(1))
    assert len(calls) >= 50


@st.composite
def stars(draw: st.DrawFn) -> Parts:
    """A part whose rings cannot cross themselves, perhaps with a hole, anywhere."""
    corners = draw(st.lists(st.floats(9, 60), min_size=5, max_size=20))
    angles = np.linspace(0, 2 * math.pi, len(corners), endpoint=False)
    star = np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(corners)[:, None]
    place = (draw(st.floats(-30_000, 90_000)), draw(st.floats(-200, 500)))
    holes = [place + 0.5 * star] if draw(st.booleans()) else []
    return [[place + star, *holes]]


@given(st.lists(stars(), min_size=1, max_size=3))
def test_any_valid_shape_is_read_back(tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]) -> None:
    rois = rois_of(tmp_path_factory.getbasetemp(), objects_of(*shapes))
    found = [overlap(shape_of(roi), expected_shape(parts)) for roi, parts in zip(rois, shapes, strict=True)]
    assert min(found) >= 0.99


number = st.one_of(st.integers(-3, 12), st.floats(-80, 80), st.floats(-FARTHEST, FARTHEST))
ring = st.lists(st.tuples(number, number), min_size=3, max_size=7).map(lambda points: np.array(points, float))
part = st.lists(ring, min_size=1, max_size=3)


@given(st.lists(st.lists(part, min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_outline_breaks_the_writer(tmp_path_factory: pytest.TempPathFactory, shapes: list[Parts]) -> None:
    rois = rois_of(tmp_path_factory.getbasetemp(), objects_of(*shapes))
    assert [roi.name for roi in rois] == [str(number) for number in range(1, len(shapes) + 1)]
    assert all(np.isfinite(each).all() for roi in rois for each in roi.coordinates(multi=True))


JUDGE = """
import ij.gui.Roi; import ij.io.RoiDecoder; import ij.process.ByteProcessor;
import java.io.*; import java.nio.file.*; import java.util.zip.*;

public class Judge {
    public static void main(String[] args) throws Exception {
        int width = Integer.parseInt(args[1]), height = Integer.parseInt(args[2]);
        ZipInputStream zip = new ZipInputStream(new FileInputStream(args[0] + ".zip"));
        try (OutputStream masks = new FileOutputStream(args[0] + ".masks");
             PrintStream lines = new PrintStream(args[0] + ".lines", "UTF-8")) {
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
                Roi roi = new RoiDecoder(zip.readAllBytes(), entry.getName()).getRoi();
                ByteProcessor mask = new ByteProcessor(width, height);
                mask.setColor(1);
                mask.fill(roi);
                masks.write((byte[]) mask.getPixels());
                lines.println(roi.getName() + "|" + roi.getGroup() + "|" + roi.getProperty("class")
                    + "|" + roi.getProperty("score"));
            }
        }
    }
}
"""
CLASSES = (" a: b=c", "cellule é", "细胞 🧫", "a\\u12")


@pytest.fixture(scope="module")
def imagej(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ImageJ's masks and lines of SHAPES lie, as `rois.masks` and `rois.lines`."""
    folder = tmp_path_factory.mktemp("imagej")
    classes = [index % len(CLASSES) for index in range(len(SHAPES))]
    scores = [0.1 + 0.2, *[np.nan] * (len(SHAPES) - 1)]
    objects = objects_of(*SHAPES.values(), classes=classes, scores=scores)
    (content,) = exported(folder, image_of(objects), class_names=CLASSES)
    (folder / "rois.zip").write_bytes(content)
    (folder / "Judge.java").write_text(JUDGE)
    options = ["-Djava.awt.headless=true", "-cp", str(IMAGEJ)]
    program = ["java", *options, folder / "Judge.java", folder / "rois", str(WIDTH), str(HEIGHT)]
    subprocess.run(program, check=True, capture_output=True, cwd=folder)
    return folder


def mask_of(parts: Parts) -> NDArray[np.bool_]:
    """Of GEOS: the pixels whose centre lies inside."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shape = expected_shape(parts)
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, columns + 0.5, rows + 0.5))


@needs_imagej
@pytest.mark.parametrize("shape", SHAPES)
def test_imagej_fills_the_same_pixels_as_an_independent_drawing(imagej: Path, shape: str) -> None:
    masks = np.fromfile(imagej / "rois.masks", np.uint8).reshape(-1, HEIGHT, WIDTH).astype(bool)
    theirs, expected = masks[list(SHAPES).index(shape)], mask_of(SHAPES[shape])
    assert (theirs & expected).sum() / (theirs | expected).sum() >= 0.99


@needs_imagej
def test_imagej_reads_name_group_class_and_score(imagej: Path) -> None:
    lines = (imagej / "rois.lines").read_text(encoding="utf-8").splitlines()
    rows = [
        f"{index + 1}|{index % 4 + 1}|{CLASSES[index % 4]}|{'null' if index else '0.30000000000000004'}"
        for index in range(len(SHAPES))
    ]
    assert lines == rows
