"""What Ultralytics makes of a YOLO data set: `verifies_yolo.py <data.yaml>`.

Prints its names and, for each image by its name, whether label file and picture are sound, what it complains of,
and the number of outlines.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import mkdtemp

os.environ |= {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": mkdtemp(), "YOLO_VERBOSE": "false"}

from ultralytics.data.utils import check_det_dataset, img2label_paths, verify_image_label

description = check_det_dataset(sys.argv[1], autodownload=False)
names = description["names"]
pictures = sorted(str(path) for path in Path(description["train"]).iterdir())
found = {}
for picture, label in zip(pictures, img2label_paths(pictures), strict=True):
    *answer, missing, present, empty, corrupt, message = verify_image_label(
        (picture, label, "", False, len(names), 0, 0, False)
    )
    found[Path(picture).name] = {
        "is_sound": bool(present and not missing and not corrupt),
        "is_empty": bool(empty),
        "complaint": message,
        "outlines": len(answer[3] or ()),
    }
print(json.dumps({"names": list(names.values()), "images": found}))
