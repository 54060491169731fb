"""The API's document in itself: examples that fit, codes that exist, names that last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.api import api
from projects.models import Image, Project
from tests.calling import call

DOCUMENT: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/")
READABLE_BY_ANYBODY = ["/api/openapi.json", "/api/events.json"]


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in DOCUMENT["paths"].values():
        yield from methods.items()


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body, sent and received, with where it stands."""
    for _, operation in operations():
        bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for place, body in bodies.items():
            if "application/json" in body.get("content", {}):
                yield f"{operation['operationId']}-{place}", body["content"]["application/json"]


@pytest.mark.parametrize("content", [pytest.param(each, id=name) for name, each in contents()])
def test_each_body_has_an_example_that_fits_its_schema(content: dict[str, Any]) -> None:
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    checker = jsonschema.FormatChecker(["uuid"])
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(content["example"])


def test_an_example_that_does_not_fit_would_be_found() -> None:
    schema = {"$ref": "#/components/schemas/JobView", "components": DOCUMENT["components"]}
    with pytest.raises(jsonschema.ValidationError, match="is a required property"):
        jsonschema.Draft202012Validator(schema).validate({})


def test_each_operation_says_how_it_fails() -> None:
    for _, operation in operations():
        assert {"401", "500", "503"} <= operation["responses"].keys()
        assert operation["summary"]
        assert operation["description"]
        for status, response in operation["responses"].items():
            if status >= "400":
                named = response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]
                assert named["code"]["enum"]


def test_ids_of_operations_are_the_ones_that_clients_were_made_with() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))
    assert {"listProjects", "startExport", "exportStatus", "cancelExport", "downloadExport"} <= set(names)


def test_changes_by_session_are_said_to_need_the_csrf_token() -> None:
    for method, operation in operations():
        session = next(each for each in operation["security"] if "Session" in each)
        assert ("CsrfToken" in session) == (method not in ("get", "head"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [*READABLE_BY_ANYBODY, "/api/export/formats", "/api/projects"])
def test_what_has_not_changed_is_not_sent_again(alice: User, path: str) -> None:
    tag = call(alice, "GET", path)["ETag"]
    again = call(alice, "GET", path, If_None_Match=tag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert call(alice, "GET", path, If_None_Match='"other"').status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_list_that_has_changed_is_sent(alice: User) -> None:
    tag = call(alice, "GET", "/api/projects")["ETag"]
    Project.objects.create(name="New", owner=alice)
    assert call(alice, "GET", "/api/projects", If_None_Match=tag).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_pages_hold_each_row_once_while_rows_are_added(alice: User) -> None:
    project = Project.objects.create(name="Growing", owner=alice)
    row = {"project": project, "file": "x", "width": 1, "height": 1, "size": 1, "sha256": "0" * 64}
    there = [f"{number}" for number in range(10, 20)]
    Image.objects.bulk_create(Image(name=name, **row) for name in there)
    seen, cursor = [], ""
    while cursor is not None:
        given = f"&cursor={cursor}" if cursor else ""
        page = call(alice, "GET", f"/api/projects/{project.pk}/images?limit=2{given}").json()
        seen += [each["name"] for each in page["images"]]
        Image.objects.create(name=f"0{len(seen)}", **row)  # before where the reader is
        cursor = page["nextCursor"]
    assert seen == there


def test_the_documents_need_no_login(client: Client, db: None) -> None:
    for path in READABLE_BY_ANYBODY:
        assert client.get(path)["ETag"]
