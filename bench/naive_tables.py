"""The baseline's tables: XlsxWriter, csv and json, each from all rows at once."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import xlsxwriter

from bench.stopwatch import Stopwatch

Row = dict[str, Any]


def write(folder: Path, rows: list[Row], watch: Stopwatch) -> None:
    with watch.stage("xlsx"):
        _write_xlsx(folder / "metrics.xlsx", rows)
    with watch.stage("csv"), (folder / "metrics.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    with watch.stage("metrics json"):
        (folder / "metrics.json").write_text(json.dumps(rows))


def _write_xlsx(path: Path, rows: list[Row]) -> None:
    workbook = xlsxwriter.Workbook(path)
    sheet = workbook.add_worksheet("Objects")
    sheet.write_row(0, 0, list(rows[0]))
    for number, row in enumerate(rows, 1):
        sheet.write_row(number, 0, list(row.values()))
    workbook.close()
