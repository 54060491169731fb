"""The metrics of a folder as pandas, pyarrow, calamine and json read them: rows of numbers, texts and nulls."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas
import pyarrow.parquet
from python_calamine import CalamineWorkbook

Rows = list[list[Any]]


def main(folder: Path) -> None:
    csv = pandas.read_csv(folder / "metrics.csv", encoding="utf-8-sig", float_precision="round_trip")
    table = pyarrow.parquet.read_table(folder / "metrics.parquet")
    sheet = CalamineWorkbook.from_path(str(folder / "metrics.xlsx")).get_sheet_by_name("Objects")
    frame = pandas.read_parquet(folder / "metrics.parquet")
    answer = {
        "csv by pandas": _of_frame(csv),
        "parquet by pandas": _of_frame(frame),
        "parquet by pyarrow": [table.column_names, *map(list, zip(*table.to_pydict().values(), strict=True))],
        "xlsx by calamine": [[None if cell == "" else cell for cell in row] for row in sheet.to_python()],
        "json": _of_json(json.loads((folder / "metrics.json").read_text(encoding="utf-8"))),
        "types": {field.name: str(field.type) for field in table.schema},
        "dtypes": {name: str(dtype) for name, dtype in frame.dtypes.items()},
        "metadata": {
            field.name: {key.decode(): text.decode() for key, text in field.metadata.items()}
            for field in table.schema
        },
    }
    print(json.dumps(answer))


def _of_frame(frame: pandas.DataFrame) -> Rows:
    rows = frame.astype(object).where(frame.notna(), None)
    return [list(frame.columns), *rows.to_numpy().tolist()]


def _of_json(content: dict[str, Any]) -> Rows:
    header = [column["header"] for column in content["object_columns"]]
    rows = [
        [image["image"], image["image_id"], number, *labels, image["unit"], *measures]
        for image in content["images"]
        for number, *labels, measures in _by_object(image["objects"])
    ]
    return [header, *rows]


def _by_object(columns: dict[str, list[Any]]) -> list[list[Any]]:
    return [[*row[:3], list(row[3:])] for row in zip(*columns.values(), strict=True)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
