"""The names under which a browser gets the pages' scripts and styles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

from config.templatetags.modules import _imported_by, modules

HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")
IMPORTS = re.compile(r"""^(?:import|export)\s[^;]*?"(\..+?)";""", re.MULTILINE)


@pytest.fixture
def collected(tmp_path: Path, settings: object) -> Path:
    """All static files, as production serves them."""
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined]
    hashed = {"BACKEND": "config.static_files.HashedFiles"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": hashed}  # type: ignore[attr-defined]
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_modules_import_one_another_by_names_that_change_with_their_content(collected: Path) -> None:
    modules = [path for app in ("exports", "projects", "site") for path in (collected / app).glob("*.js")]
    hashed = [path for path in modules if HASHED.search(path.name)]
    imported = [(path, name) for path in hashed for name in IMPORTS.findall(path.read_text())]
    assert len(imported) > 50
    assert [name for path, name in imported if not HASHED.search(name)] == []
    assert [name for path, name in imported if not (path.parent / name).exists()] == []


def test_a_page_names_them_so(collected: Path) -> None:
    assert HASHED.search(staticfiles_storage.url("exports/export-panel.js"))


def test_a_page_asks_for_all_its_modules_at_once() -> None:
    head = modules("exports/export-panel.js")
    asked = set(re.findall(r'(?:href|src)="/static/([^"]+)"', head))
    imported = {name for each in asked for name in _imported_by(each)}
    assert "site/i18n.js" in asked
    assert imported <= asked


def test_a_module_that_is_not_there_is_missed() -> None:
    with pytest.raises(FileNotFoundError):
        modules("exports/absent.js")
