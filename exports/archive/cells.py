"""Text on its way into a table: as data, never as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet run a cell (OWASP, "CSV Injection")."""


def neutralised(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it, or seems to have been kept from it.

    So that taking away the first apostrophe before such a start gives back every text.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def csv_row(texts: Iterable[str]) -> bytes:
    """One line of CSV (RFC 4180), every text neutralised, quoted where needed.

    Excel takes a file of these for UTF-8 only if it begins with `codecs.BOM_UTF8`.
    """
    line = io.StringIO()
    csv.writer(line).writerow([neutralised(text) for text in texts])
    return line.getvalue().encode()
