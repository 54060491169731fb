"""ImageJ measures the stored file under the ROIs that we write for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from exports.archive.columns import object_measures
from exports.archive.formats.imagej import ImageJ
from exports.archive.measure import measure
from tests.exports.archive.builders import content_of, dataset_of, image_of, objects_of
from tests.exports.archive.test_intensity import APART, HEIGHT, WIDTH, noise
from tests.judges import IMAGEJ, needs_imagej

JUDGE = """
import ij.IJ; import ij.ImagePlus; import ij.gui.Roi; import ij.io.RoiDecoder; import ij.measure.Measurements;
import ij.process.ImageStatistics; import java.io.*; import java.util.zip.*;

public class Judge implements Measurements {
    public static void main(String[] args) throws Exception {
        ImagePlus image = IJ.openImage(args[0] + ".tif");
        ZipInputStream zip = new ZipInputStream(new FileInputStream(args[0] + ".zip"));
        PrintStream lines = new PrintStream(args[0] + ".lines");
        for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
            image.setRoi(new RoiDecoder(zip.readAllBytes(), entry.getName()).getRoi());
            ImageStatistics found = image.getStatistics(MEAN + MIN_MAX + STD_DEV + INTEGRATED_DENSITY);
            lines.println(found.pixelCount + " " + found.mean + " " + found.stdDev + " " + found.min + " "
                + found.max + " " + found.pixelCount * found.mean);
        }
    }
}
"""


@needs_imagej
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_imagej_measures_the_same(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "cells.tif", noise(dtype)[:, :, 0], photometric="minisblack")
    image = image_of(objects_of(*APART), original=tmp_path / "cells.tif", width=WIDTH, height=HEIGHT)
    (entry,) = ImageJ(dataset_of(tmp_path, image)).add(image)
    (tmp_path / "cells.zip").write_bytes(content_of(entry))

    counts, theirs = of_imagej(tmp_path)
    names = [column.name for column in object_measures(1)]
    first = names.index("intensity_mean_c1")
    mean, deviation, least, most, _, total = measure(image, 1).objects[:, first:].T
    by_n = np.sqrt(np.maximum(counts - 1, 1) / counts)
    ours = np.column_stack([mean, deviation / by_n, least, most, total])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6 if dtype == "float32" else 1e-12)


def of_imagej(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The number of pixels of each ROI; and mean, StdDev (by n - 1), Min, Max and RawIntDen."""
    (folder / "Judge.java").write_text(JUDGE)
    options = ["-Djava.awt.headless=true", "-cp", str(IMAGEJ)]
    command = ["java", *options, folder / "Judge.java", folder / "cells"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    rows = np.loadtxt(folder / "cells.lines")
    return rows[:, 0], rows[:, 1:]
