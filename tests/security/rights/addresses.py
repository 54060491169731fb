"""All addresses that the site answers at, as its own resolver and its own API document know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404
from django.urls import get_resolver, resolve

from config.api import api
from tests.security.rights.stage import VISITORS, Stage
from tests.security.rights.table import Line


def routes() -> set[str]:
    """Without the one that takes in whatever is left of `/api/`."""
    return {route for route in _below(get_resolver(), "") if route != "api/"}


def operations() -> set[tuple[str, str]]:
    """(method, route) of the API's document."""
    paths = api.get_openapi_schema(path_prefix="/api/")["paths"]
    placeholders = {"{project_id}": "x", "{job_id}": "x", "{preset_id}": "x", "{key_id}": "x"}
    return {(method.upper(), _plain(path, placeholders)) for path, each in paths.items() for method in each}


def of_lines(lines: list[Line]) -> set[tuple[str, str]]:
    """(method, path) with each object as `x`, as `operations` has them."""
    placeholders = {f"{{{name}}}": "x" for name in ("project", "other", "job", "own", "preset", "own_preset")}
    return {(line.method, _plain(line.template.partition("?")[0], placeholders)) for line in lines}


def route_of(stage: Stage, line: Line) -> str:
    path = stage.address(VISITORS[-1], line.template).partition("?")[0]
    try:
        return str(resolve(path).route)
    except Http404:
        return ""


def _below(resolver: Any, start: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        route = start + str(each.pattern)
        yield from _below(each, route) if hasattr(each, "url_patterns") else [route]


def _plain(path: str, placeholders: dict[str, str]) -> str:
    for placeholder, letter in placeholders.items():
        path = path.replace(placeholder, letter)
    return path
