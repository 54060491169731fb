"""What a key must be allowed for each operation, as the document of the API and the API itself say."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from config.api import api
from exports.models import ExportJob
from exports.states import Status
from tests.calling import call, job_url, key_of

ANYTHING = str(uuid.UUID(int=0))
PATHS: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/")["paths"]
METHODS = ("get", "head", "post", "put", "patch", "delete")
OPERATIONS = [(method, path) for path in PATHS for method in METHODS if method in PATHS[path]]
CHANGES_NOTHING = ("/estimate", "/ws-token")


def needs_export(method: str, path: str) -> bool:
    if path.endswith("/download"):
        return True
    return method not in ("get", "head") and not path.endswith(CHANGES_NOTHING)


def asked(text: str, method: str, path: str) -> Any:
    address = path.format(project_id=ANYTHING, job_id=ANYTHING, preset_id=ANYTHING)
    return call(None, method.upper(), address, {}, Authorization=f"Bearer {text}")


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_says_which_scope_it_needs(method: str, path: str) -> None:
    schemes = {name for each in PATHS[path][method]["security"] for name in each}
    wanted, other = ("ExportKey", "ReadKey") if needs_export(method, path) else ("ReadKey", "ExportKey")
    assert (wanted in schemes, other in schemes) == (True, False)


def test_a_key_that_may_read_does_nothing_else(alice: User) -> None:
    text = key_of(alice, scope="read")
    for method, path in OPERATIONS:
        answer = asked(text, method, path)
        is_refused = answer.status_code == 403 and (method == "head" or b"scope_missing" in answer.content)
        assert is_refused == needs_export(method, path), (method, path, answer.content)
        assert is_refused or answer.status_code in (200, 404), (method, path, answer.content)


def test_a_key_that_may_export_may_read(alice: User) -> None:
    text = key_of(alice, scope="export")
    answers = {asked(text, method, path).status_code for method, path in OPERATIONS}
    assert answers.isdisjoint({401, 403})


def test_the_sentence_names_the_scope(job: ExportJob) -> None:
    answer = call(
        None, "POST", job_url(job, "cancel"), Authorization=f"Bearer {key_of(job.user, scope='read')}"
    )
    assert "“export”" in answer.json()["detail"]
    assert ExportJob.objects.get(pk=job.pk).status == Status.PENDING
