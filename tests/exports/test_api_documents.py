"""What other programs read about us is true and whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from config import problems
from config.api import api
from exports import asyncapi, events, exceptions
from exports.models import ExportJob
from exports.options import ExportOptions
from exports.schemas import JobView

REFERENCE = (Path(settings.BASE_DIR) / "docs" / "API.md").read_text()
SCHEMAS = asyncapi.document()["components"]["schemas"]


def refusals() -> list[type[exceptions.ExportError]]:
    """What the API may answer with; a Refusal is always one of its kinds."""
    direct = {exceptions.ExportError, *exceptions.ExportError.__subclasses__()}
    return [*(direct - {exceptions.Refusal}), *exceptions.Refusal.__subclasses__()]


@pytest.mark.parametrize("path", sorted(api.get_openapi_schema(path_prefix="/api/")["paths"]))
def test_each_address_is_in_the_reference(path: str) -> None:
    assert re.search(rf"`{re.escape(path)}[`?]", REFERENCE)


@pytest.mark.parametrize("code", sorted({each.code for each in refusals()}))
def test_each_refusal_is_in_the_reference(code: str) -> None:
    assert f"`{code}`" in REFERENCE


@pytest.mark.parametrize(
    "code", sorted(re.findall(r'problem\(\d+, "(\w+)"', Path(problems.__file__).read_text()))
)
def test_each_problem_is_in_the_reference(code: str) -> None:
    assert f"`{code}`" in REFERENCE


def test_the_openapi_document_describes_the_options() -> None:
    schemas = api.get_openapi_schema(path_prefix="/api/")["components"]["schemas"]
    described = schemas["StartBody"]["properties"]["options"]["anyOf"][0]
    assert described["properties"].keys() == ExportOptions.model_json_schema()["properties"].keys()


def test_operation_ids_are_unique() -> None:
    paths = api.get_openapi_schema(path_prefix="/api/")["paths"].values()
    names = [
        operation["operationId"]
        for methods in paths
        for method, operation in methods.items()
        if method != "head"
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", events.EVENTS)
def test_each_event_is_described_as_it_is_sent(kind: type[events.Event]) -> None:
    schema = SCHEMAS[kind.__name__]
    sent = {field.alias or name for name, field in kind.model_fields.items()}
    assert {*schema["properties"]} == sent == {*schema["required"]}
    assert schema["properties"]["type"]["const"].startswith("export:")


@pytest.mark.django_db(transaction=True)
def test_an_event_has_the_keys_of_its_description(completed: ExportJob) -> None:
    sent = events.Completed.of(completed).as_json()
    assert {*sent} == {*SCHEMAS["Completed"]["properties"]}


def test_every_reference_of_the_events_document_leads_somewhere() -> None:
    document = asyncapi.document()
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(document)):
        place = document
        for step in reference.split("/"):
            place = place[step]


def test_a_snapshot_holds_jobs() -> None:
    assert {*SCHEMAS["JobView"]["required"]} == {field.alias for field in JobView.model_fields.values()}
