"""What datumaro finds in a CVAT data set, and lxml in its file: `reads_cvat.py <folder with annotations.xml and images>`.

Prints the labels and, for each image by its id, the number of its frame and its annotations: type, label, z_order,
attributes, and points or a mask, which is the pixels of all rows, packed into bits, as hexadecimal digits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from datumaro.components.annotation import AnnotationType
from datumaro.components.dataset import Dataset
from lxml import etree

folder = Path(sys.argv[1])
etree.parse(folder / "annotations.xml", etree.XMLParser(huge_tree=True))
dataset = Dataset.import_from(str(folder), "cvat")
names = [label.name for label in dataset.categories()[AnnotationType.label].items]


def described(annotation):
    if annotation.type == AnnotationType.mask:
        shape = {"mask": np.packbits(annotation.image.astype(bool)).tobytes().hex()}
    else:
        shape = {"points": np.reshape(annotation.points, (-1, 2)).tolist()}
    return shape | {
        "type": annotation.type.name,
        "label": names[annotation.label],
        "z_order": annotation.z_order,
        "attributes": {key: value for key, value in annotation.attributes.items() if key != "occluded"},
    }


images = {
    item.id: {
        "frame": item.attributes["frame"],
        "size": item.media.size,
        "annotations": [described(annotation) for annotation in item.annotations],
    }
    for item in dataset
}
print(json.dumps({"labels": names, "images": images}))
