"""Text of users in Markdown: shown as it was typed, never as markup."""

from __future__ import annotations

import html
import re

# Every mark that CommonMark or GitHub gives a meaning, with `:` and `@` because they make links.
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~=:@$^])")


def escaped(text: str) -> str:
    """On one line, markup and HTML taken literally."""
    return _MARKS.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
