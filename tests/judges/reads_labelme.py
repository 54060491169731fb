"""What labelme and supervision find in label files: `reads_labelme.py <folder with annotations/labelme and images>`.

Prints for each file, by its name, the size of the image that labelme opened for it, its shapes, and the objects of
supervision: class, box and mask, which is the pixels of all rows, packed into bits, as hexadecimal digits.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import supervision
from labelme._label_file import LabelFile
from PIL import Image

folder = Path(sys.argv[1])
dataset = supervision.DetectionDataset.from_labelme(
    images_directory_path=str(folder / "images"),
    annotations_directory_path=str(folder / "annotations/labelme"),
    force_masks=True,
)
found = {}
for path in sorted((folder / "annotations/labelme").iterdir()):
    file = LabelFile(str(path))
    detections = dataset.annotations[str(folder / "images" / Path(file.image_path).name)]
    found[path.name] = {
        "size": Image.open(io.BytesIO(file.image_data)).size,
        "shapes": [
            {key: shape[key] for key in ("label", "points", "group_id", "shape_type")}
            for shape in file.shapes
        ],
        "objects": [
            {
                "class": dataset.classes[detections.class_id[index]],
                "box": detections.xyxy[index].tolist(),
                "mask": np.packbits(detections.mask[index]).tobytes().hex(),
            }
            for index in range(len(detections))
        ],
    }
print(json.dumps(found))
