"""No page says anything that has not been given to the translators."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.jslexer import Token, tokenize

from tests.translations.messages import ROOT

TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted(path for path in ROOT.glob("*/static/**/*.js"))
BLOCK = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}|{% comment.*?{% endcomment %}", re.DOTALL)
CLASSES = re.compile(r"{% block (?:coltype|bodyclass) %}.*?{% endblock %}")
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
SPOKEN = re.compile(r"\b(?:title|alt|aria-label|placeholder|content)=\"([^\"]*)\"")
MARKUP = re.compile(r"<!?/?[a-zA-Z](?:\"[^\"]*\"|[^>\"])*>", re.DOTALL)
NAMES = {
    "Cell",
    "Segmentation",
    "Hub",
    "API",
    "UTC",
    "SHA",
    "px",
    "width",
    "device",
    "initial",
    "scale",
    "light",
}
NAMES |= {"dark", "url"}
SENTENCE = re.compile(r"^[A-Z][a-z]+ [\w %(),'’-]+")
FILLED_IN = re.compile(r"\$\{[^}]*\}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    source = TAG.sub(" ", CLASSES.sub(" ", BLOCK.sub(" ", path.read_text())))
    spoken = [*SPOKEN.findall(source), MARKUP.sub(" ", source)]
    words = [word for text in spoken for word in re.findall(r"[^\W\d_]{2,}", re.sub(r"&\w+;", " ", text))]
    assert [word for word in words if word not in NAMES] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_sentence_of_a_script_can_be_translated(path: Path) -> None:
    tokens = [each for each in tokenize(path.read_text()) if each.type != "linecomment"]
    untold = [each.value for before, each in pairwise(tokens) if _is_untold(before, each)]
    assert untold == []


def _is_untold(before: Token, token: Token) -> bool:
    """A sentence that stands in no call; those that do are `text("…")` and selectors."""
    if token.type not in ("string", "template_string") or before.value in ("(", ","):
        return False
    return bool(SENTENCE.search(FILLED_IN.sub("", token.value[1:-1])))
