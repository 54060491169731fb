"""Rules about the code itself: who may import whom, who writes the status, what has to be documented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import call_command

from exports import events, exceptions, options
from exports.archive.formats import PARTS

ROOT = Path(__file__).parent.parent
PACKAGES = ("config", "imagefiles", "projects", "exports")
LONGEST_FUNCTION, LONGEST_MODULE = 50, 300

# Module (or package) -> prefixes of ours that it must not import.
FORBIDDEN = {
    "imagefiles": ("django", "config", "projects", "exports"),
    "projects": ("exports",),
    "projects.readers": ("projects.models", "django"),
    "exports.archive": (
        "django",
        "projects",
        "config",
        "exports.models",
        "exports.lifecycle",
        "exports.options",
    ),
    "exports.states": ("exports", "projects"),
    "exports.models": ("exports.lifecycle", "exports.events", "exports.dispatch", "exports.api"),
    "exports.events": ("exports.lifecycle", "exports.dispatch", "exports.build"),
    "exports.dispatch": ("exports.lifecycle", "exports.models", "exports.build", "exports.jobs"),
    "exports.lifecycle": (
        "exports.build",
        "exports.api",
        "exports.views",
        "exports.consumers",
        "exports.sweep",
    ),
    "exports.build": (
        "exports.api",
        "exports.views",
        "exports.consumers",
        "exports.sweep",
        "exports.dispatch",
    ),
    "exports.sweep": ("exports.build", "exports.api", "exports.views", "exports.consumers"),
    "exports.views": ("exports.api", "exports.build", "exports.dispatch"),
    "exports.api": ("exports.views", "exports.build", "exports.dispatch"),
    "exports.consumers": ("exports.lifecycle", "exports.build", "exports.dispatch"),
}


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.Module) -> Iterator[str]:
    """Everything imported, those for type checkers aside."""
    skipped = {id(inner) for node in ast.walk(tree) if _is_for_types(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_go_one_way(package: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules().items()
        if within(module, package)
        for name in imports(tree)
        if any(within(name, each) for each in FORBIDDEN[package]) and not within(name, package)
    ]

    assert wrong == []


def test_only_dispatch_talks_to_rq() -> None:
    talkers = {module for module, tree in modules().items() if any(within(n, "rq") for n in imports(tree))}

    readers = {"exports.calls", "exports.crew", "exports.health", "config.dashboard"}
    assert talkers <= {"exports.dispatch", "exports.worker", *readers}


def test_only_lifecycle_writes_the_status() -> None:
    writers = {
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if _writes_status(node) and not module.startswith("projects")
    }

    assert writers == {"exports.lifecycle"}


def _writes_status(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        flat = [each for target in targets for each in ast.walk(target)]
        return any(
            isinstance(each, ast.Attribute) and each.attr == "status" and _is_job(each) for each in flat
        )
    is_update = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("update", "bulk_update")
    return is_update and any(keyword.arg == "status" for keyword in node.keywords)


def _is_job(attribute: ast.Attribute) -> bool:
    return ast.unparse(attribute.value) in ("job", "self.job", "row", "export")


@pytest.mark.parametrize("module", sorted(modules()))
def test_functions_and_modules_stay_small(module: str) -> None:
    tree = modules()[module]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert max((node.end_lineno or 0 for node in tree.body), default=0) <= LONGEST_MODULE
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION] == []


def test_the_one_broad_except_is_in_the_build() -> None:
    broad = [
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) == "Exception")
    ]

    assert broad == ["exports.build"]


def documented(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


@pytest.mark.parametrize("kind", events.EVENTS)
def test_every_event_is_documented(kind: type[events.Event]) -> None:
    assert f"`{kind.model_fields['type'].default}`" in documented("EVENTS.md")


def errors(
    base: type[exceptions.ExportError] = exceptions.ExportError,
) -> Iterator[type[exceptions.ExportError]]:
    for error in base.__subclasses__():
        yield error
        yield from errors(error)


@pytest.mark.parametrize("error", [*errors()])
def test_every_error_code_is_documented(error: type[exceptions.ExportError]) -> None:
    if error not in (
        exceptions.LostClaim,
        exceptions.Refusal,
    ):  # told to workers only, and told as one of its kinds
        assert f"`{error.code}`" in documented("API.md")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_every_format_is_documented(part: object) -> None:
    assert f"`{part.key}`" in documented("FORMATS.md")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(options.ExportOptions.model_json_schema(by_alias=True)["properties"]))
def test_every_option_is_documented(name: str) -> None:
    assert f"`{name}`" in documented("API.md")


def test_every_setting_is_documented() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    names = set(re.findall(r'environment\.\w+\(\s*"([A-Z_]+)"', source)) | {"DATABASE_URL", "REDIS_URL"}

    assert {name for name in names if f"`{name}`" not in (ROOT / "README.md").read_text()} == set()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
