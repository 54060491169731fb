"""What the library of RO-Crate reads in a folder: its files, which of them exist, and what is said of each."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from urllib.parse import unquote

from rocrate.rocrate import ROCrate

warnings.simplefilter("error")
folder = Path(sys.argv[1])
crate = ROCrate(folder)
files = {
    unquote(entity.id): {
        "exists": (folder / unquote(entity.id)).is_file(),
        "size": entity.get("contentSize"),
        "sha256": entity.get("sha256"),
        "type": entity.get("encodingFormat"),
    }
    for entity in crate.data_entities
}
(action,) = crate.get_by_type("CreateAction")
print(
    json.dumps(
        {
            "version": crate.version,
            "name": crate.name,
            "published": crate.root_dataset["datePublished"],
            "files": files,
            "made": action["result"].id,
            "program": [action["instrument"]["name"], action["instrument"]["softwareVersion"]],
        }
    )
)
