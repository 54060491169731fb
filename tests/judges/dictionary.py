"""What frictionless finds wrong in a folder's metrics.csv, going by the types that its columns.csv promises."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from frictionless import Resource, Schema, fields, system

TYPES = {"text": fields.StringField, "count": fields.IntegerField}


def main(folder: Path) -> None:
    with (folder / "columns.csv").open(encoding="utf-8-sig", newline="") as file:
        columns = [row for row in csv.DictReader(file) if row["table"] == "objects"]
    schema = Schema(
        fields=[
            TYPES.get(column["kind"], fields.NumberField)(
                name=column["header"], description=column["definition"]
            )
            for column in columns
        ]
    )
    found = [_faults(folder / "metrics.csv", schema), _faults(folder / "columns.csv", None)]
    print(json.dumps(found))


def _faults(path: Path, schema: Schema | None) -> dict[str, list[str] | int]:
    with system.use_context(trusted=True):
        report = Resource(path=str(path), schema=schema, encoding="utf-8-sig").validate()
    (task,) = report.tasks
    errors = [f"{error.type}: {error.message}" for error in [*report.errors, *task.errors]]
    return {
        "errors": errors,
        "warnings": [*report.warnings, *task.warnings],
        "rows": task.stats.get("rows", 0),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
