"""What supervision finds in a YOLO data set: `reads_yolo.py <images> <labels> <data.yaml>`.

Prints the classes and, for each image by its name, an object with its class, its box and its mask: the pixels of
all rows, packed into bits, as hexadecimal digits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import supervision

images, labels, description = sys.argv[1:]
dataset = supervision.DetectionDataset.from_yolo(
    images_directory_path=images,
    annotations_directory_path=labels,
    data_yaml_path=description,
    force_masks=True,
)
found = {
    Path(path).name: [
        {
            "class": int(detections.class_id[index]),
            "box": detections.xyxy[index].tolist(),
            "mask": np.packbits(detections.mask[index]).tobytes().hex(),
        }
        for index in range(len(detections))
    ]
    for path, detections in dataset.annotations.items()
}
print(json.dumps({"classes": dataset.classes, "images": found}))
