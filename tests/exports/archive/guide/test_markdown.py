from __future__ import annotations

import pytest

from exports.archive.guide.markdown import escaped


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("plain text 1", "plain text 1"),
        ("<img src=x>", r"&lt;img src\=x&gt;"),
        ("[click](http://x)", r"\[click\]\(http\://x\)"),
        ("# *bold* `code`", r"\# \*bold\* \`code\`"),
        ("one\n\n# two\t", r"one \# two"),
        ("a & b | c", r"a &amp; b \| c"),
        ("www.example.org", r"www\.example\.org"),
    ],
)
def test_users_text_is_shown_as_it_was_typed(typed: str, shown: str) -> None:
    assert escaped(typed) == shown
