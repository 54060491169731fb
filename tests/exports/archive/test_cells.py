from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.archive.cells import csv_row, neutralised


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "cell 1.png", " x", "'quoted'", "µm"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text


@given(st.lists(st.text(), min_size=1))
def test_a_row_reads_back_as_the_neutralised_texts(texts: list[str]) -> None:
    line = io.StringIO(csv_row(texts).decode(), newline="")
    assert list(csv.reader(line)) == [[neutralised(text) for text in texts]]
