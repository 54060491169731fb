"""The catalogues of translations on disk: GNU gettext's .po, and .mo, which is what runs."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE = Path(__file__).parent.parent.parent / "locale"
LANGUAGES = ("cs", "de", "es", "fr", "zh_Hans")
DOMAINS = ("django", "djangojs")


def path_of(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def read(language: str, domain: str) -> Catalog:
    """An empty one when there is none yet."""
    path = path_of(language, domain)
    if not path.exists():
        return _settled(Catalog(locale=language, fuzzy=False))
    with path.open("rb") as file:
        return _settled(read_po(file, locale=language))


def updated(language: str, domain: str, template: Catalog) -> Catalog:
    """With the messages of the template, those that are known translated, and no others."""
    catalogue = read(language, domain)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return _settled(catalogue)


def as_text(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=100, sort_output=True, include_lineno=False)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def untranslated(catalogue: Catalog) -> list[Any]:
    """The ids of the messages that say nothing, or not for every plural."""
    return [each.id for each in catalogue if each.id and not _says_something(each.string)]


def _says_something(string: Any) -> bool:
    return bool(string) and (isinstance(string, str) or all(string))


def _settled(catalogue: Catalog) -> Catalog:
    """No dates of the day: the same messages are the same bytes."""
    catalogue.header_comment = f"# {catalogue.locale_identifier}: written by `make translations`."
    catalogue.project, catalogue.version = "Cell Segmentation Hub", "1"
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    catalogue.last_translator = catalogue.language_team = "Cell Segmentation Hub"
    return catalogue
