"""Every message of the program that a reader may see, found in its sources."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from django.utils.translation.template import templatize

from exports import exceptions
from exports.archive.formats import _WORDS as LOSSES
from exports.archive.formats import ANNOTATIONS, METRICS

ROOT = Path(__file__).parent.parent.parent
Message = str | tuple[str, str]

_PYTHON = ("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy")
_LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"\b(_|n?gettext|text|counted)\(\s*({_LITERAL})(?:,\s*({_LITERAL}))?", re.DOTALL)


def template(domain: str) -> Catalog:
    """All messages of a domain, untranslated, each with the files that it stands in."""
    catalogue = Catalog()
    for place, message in sorted(_found(domain), key=lambda each: each[0]):
        catalogue.add(message, locations=[(place, 0)])
    return catalogue


def _found(domain: str) -> Iterator[tuple[str, Message]]:
    if domain == "djangojs":
        for path in ROOT.glob("*/static/**/*.js"):
            yield from ((_place(path), message) for message in _calls(path.read_text()))
        return
    for app in ("config", "projects", "exports"):
        for path in (ROOT / app).rglob("*.py"):
            yield from ((_place(path), message) for message in _python_calls(path.read_text()))
    for path in (ROOT / "templates").rglob("*.*"):
        # Django's own reading of a template: calls of gettext among blanks.
        yield from ((_place(path), message) for message in _calls(templatize(path.read_text())))
    yield from _in_values()


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _calls(source: str) -> Iterator[Message]:
    """Wherever they stand, in other calls and in template literals too."""
    for name, one, many in _CALL.findall(source):
        is_plural = name in ("counted", "ngettext")
        yield (ast.literal_eval(one), ast.literal_eval(many)) if is_plural else ast.literal_eval(one)


def _python_calls(source: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _PYTHON:
            texts = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
            if texts:  # a variable is one of `_in_values`
                yield (texts[0], texts[1]) if node.func.id.startswith("n") else texts[0]


def _in_values() -> Iterator[tuple[str, Message]]:
    """What is translated when it is shown, because where it stands nothing of Django's may be imported."""
    for _, kind in inspect.getmembers(exceptions, inspect.isclass):
        if issubclass(kind, exceptions.ExportError):
            yield "exports/exceptions.py", inspect.getdoc(kind) or ""
    for part in (*ANNOTATIONS, *METRICS):
        yield "exports/archive/formats/__init__.py", part.title
        yield "exports/archive/formats/__init__.py", part.description
    for word in LOSSES.values():
        yield "exports/archive/formats/__init__.py", word
