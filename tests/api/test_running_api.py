"""The API as its own document and its reference say it is, asked for on a running site."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from config.api import api
from tests.api.conftest import Site
from tests.processes import environment, start_worker

pytestmark = pytest.mark.django_db
DOCUMENT: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/")
# Their bodies hold the same options as that of a start: every case of theirs is left to the long run.
REFERENCE = (Path(settings.BASE_DIR) / "docs" / "API.md").read_text()
SAME_BODIES = ("estimateExport", "createPreset", "replacePreset")


def operations() -> set[str]:
    return {each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()}


def succeeded(asked: Any) -> set[str]:
    return {each.split()[0] for each in asked if each.split()[1] < "300"}


def assert_true(site: Site, found: list[str], asked: Any) -> None:
    """Nothing was found, each operation was seen to succeed, and nothing went wrong inside."""
    assert found == []
    assert succeeded(asked) == operations()
    assert "Traceback" not in site.output.read_text()


def example(language: str) -> str:
    """The one block in that language under the worked examples."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", REFERENCE.split("## Worked examples")[1], re.DOTALL)
    return str(found)


@pytest.fixture
def worker(site: Site) -> Iterator[None]:
    with start_worker(environment(site.data_dir)):
        yield


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("language", ["sh", "python"])
def test_an_example_of_the_reference_works_and_goes_on_where_it_was_cut(
    site: Site, tmp_path: Path, language: str
) -> None:
    program = ["sh", "-c"] if language == "sh" else [sys.executable, "-c"]
    archive, sizes = tmp_path / "archive.zip", []
    for _ in range(2):
        ran = subprocess.run(
            [*program, example(language)],
            cwd=tmp_path, env=os.environ | {"HUB": site.url, "KEY": site.key},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stdout.split()[-1:]) == (0, ["cancelled"]), ran.stderr + ran.stdout
        sizes.append(archive.stat().st_size)
        os.truncate(archive, sizes[0] // 2)
    assert sizes[0] == sizes[1] > 1000


def test_the_example_asks_again_when_it_is_told_to() -> None:
    answers = iter([429, 503, 200])
    waited: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), headers={"Retry-After": "7"})

    tree = ast.parse(example("python"))
    (ask,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "ask")
    hub = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://hub")
    known: dict[str, Any] = {"hub": hub, "time": type("Clock", (), {"sleep": waited.append})}
    exec(compile(ast.Module([ask], []), "example", "exec"), known)
    assert (known["ask"]("GET", "/").status_code, waited) == (200, [7, 7])


def test_the_api_does_what_its_document_says(site: Site) -> None:
    from tests.api.exploring import SHORT, explore  # schemathesis takes half a second to import

    assert_true(site, *explore(site, DOCUMENT, examples=1, phases=SHORT, without=SAME_BODIES))


@pytest.mark.long
def test_the_api_does_what_its_document_says_however_long_one_looks(site: Site) -> None:
    from tests.api.exploring import LONG, explore

    assert_true(site, *explore(site, DOCUMENT, examples=100, phases=LONG))


def test_a_document_that_is_not_true_is_found_out(site: Site) -> None:
    from tests.api.exploring import SHORT, explore

    path = DOCUMENT["paths"]["/api/export/formats"]
    wrong = {**path["get"], "responses": {"304": path["get"]["responses"]["304"]}}
    document = {**DOCUMENT, "paths": {"/api/export/formats": {"get": wrong}}}
    found, _ = explore(site, document, examples=1, phases=SHORT)
    assert any("Undocumented status code" in each for each in found)
