"""The API's document, made true: what may come back, and with which headers, is said of each operation.

An operation states its own refusals and headers where it is declared (`told`); what any operation of its kind
may answer with is added here.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import orjson
from pydantic import BaseModel

from config import problems

_ONLY_WITH_A_BODY = (206, 416)  # a range counts for GET alone
METHODS_WITH_CHANGES = {"post", "put", "patch", "delete"}
PROBLEM = "application/problem+json"
_TAG = {"type": "string", "pattern": '^"[^"]+"$'}
_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 1}

HEADERS: dict[str, dict[str, Any]] = {
    "Accept-Ranges": {"description": "Ranges of bytes can be had.", "schema": {"const": "bytes"}},
    "Content-Disposition": {"description": "The file's name (RFC 6266).", "schema": _TEXT},
    "Content-Length": {"description": "Bytes.", "schema": {"type": "integer", "minimum": 0}},
    "Content-Range": {"description": "Which bytes of how many.", "schema": _TEXT},
    "Digest": {"description": "SHA-256 of the whole file (RFC 3230).", "schema": _TEXT},
    "ETag": {"description": "Names this version, for `If-None-Match`.", "schema": _TAG},
    "RateLimit": {
        "description": "What is left of each limit, see docs/API.md.",
        "schema": _TEXT,
        "required": False,
    },
    "RateLimit-Policy": {"description": "The limits themselves.", "schema": _TEXT, "required": False},
    "Location": {"description": "The address of the job's status.", "schema": _TEXT},
    "Repr-Digest": {"description": "SHA-256 of the whole file (RFC 9530).", "schema": _TEXT},
    "Retry-After": {"description": "Seconds until another try makes sense.", "schema": _SECONDS},
    "WWW-Authenticate": {"description": "How to log in.", "schema": {"const": "Bearer"}},
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "An `ETag` that you hold: 304 while it is current.",
    "required": False,
    "schema": _TEXT,
}


class Error(Protocol):
    """What can be refused: a class of `exports.exceptions`."""

    code: str
    status: int


def told(
    *refusals: type[Error], headers: Mapping[int, Iterable[str]] | None = None, **more: Any
) -> dict[str, Any]:
    """For `openapi_extra`: what an operation refuses with, and the headers of its other answers by status."""
    return {
        "refusals": [(each.status, each.code) for each in refusals],
        "headers": {status: list(names) for status, names in (headers or {}).items()},
        **more,
    }


def parameter(name: str, description: str) -> dict[str, Any]:
    """A header that the operation's function does not name, because any text will do."""
    return {"in": "header", "name": name, "description": description, "required": False, "schema": _TEXT}


def complete(document: dict[str, Any], examples: Mapping[str, BaseModel]) -> None:
    """Add to ninja's document whatever follows from the kind of an operation. `examples` go by schema."""
    components = document["components"]
    components["schemas"]["Problem"] = problems.Problem.model_json_schema()
    components["headers"] = {name: {"required": True, **header} for name, header in HEADERS.items()}
    components["securitySchemes"]["CsrfToken"] = {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": "The value of the cookie `csrftoken`.",
    }
    for path, methods in document["paths"].items():
        for method in methods:
            methods[method] = _completed(copy.deepcopy(methods[method]), path, method, examples)


def _completed(
    operation: dict[str, Any], path: str, method: str, examples: Mapping[str, BaseModel]
) -> dict[str, Any]:
    operation["summary"] = operation["summary"].capitalize()
    _secure(operation, method)
    if operation.pop("needs_body", False):
        _require_body(operation["requestBody"])
    headers = operation.pop("headers", {})
    answers = {int(status): it for status, it in operation["responses"].items()}
    if method == "get" and 304 not in answers:
        operation["parameters"] = [*operation["parameters"], _IF_NONE_MATCH]
        answers[304] = {"description": "Not Modified"}
        headers |= {200: ["ETag", *headers.get(200, [])], 304: ["ETag"]}
    answers.update(_problems([*operation.pop("refusals", []), *_common(operation, path, method)]))
    if method == "head":
        operation["operationId"] += "Head"
        answers = {status: it for status, it in answers.items() if status not in _ONLY_WITH_A_BODY}
    for status, answer in answers.items():
        named = [*headers.get(status, []), "RateLimit", "RateLimit-Policy"]
        answer.setdefault("headers", {}).update(map(_header, named))
    operation["responses"] = {str(status): answers[status] for status in sorted(answers)}
    _exemplify(operation, examples)
    return operation


def _secure(operation: dict[str, Any], method: str) -> None:
    """A session that changes something has to show the CSRF token too."""
    for scheme in operation.get("security", []):
        if "Session" in scheme and method in METHODS_WITH_CHANGES:
            scheme["CsrfToken"] = []


def _require_body(body: dict[str, Any]) -> None:
    """Its function takes none too: whoever may not do this is told so first."""
    content = body["content"]["application/json"]
    (content["schema"],) = (each for each in content["schema"]["anyOf"] if "$ref" in each)
    body["required"] = True


def _header(name: str) -> tuple[str, dict[str, str]]:
    return name, {"$ref": f"#/components/headers/{name}"}


def _common(operation: dict[str, Any], path: str, method: str) -> Iterator[tuple[int, str]]:
    """What operations of this kind refuse with, whatever they do."""
    yield 429, "too_many_requests"
    yield 500, "internal_error"
    yield 503, "busy"
    schemes = {name for each in operation.get("security", []) for name in each}
    if schemes:
        yield 401, "not_authenticated"
    if "ExportKey" in schemes:
        yield 403, "scope_missing"
    if "CsrfToken" in schemes:
        yield 403, "csrf_failed"
    if "{" in path:
        yield 404, "not_found"
    if "DownloadLink" in schemes:
        yield 404, "token_invalid"
    if "requestBody" in operation:
        yield from [(400, "invalid_options"), (413, "too_large"), (415, "unsupported_media_type")]
        yield 422, "invalid_options"
    if any(each["in"] == "query" or "pattern" in str(each["schema"]) for each in operation["parameters"]):
        yield 422, "invalid_request"


def _problems(refusals: Iterable[tuple[int, str]]) -> dict[int, dict[str, Any]]:
    """A response for each status, which says the codes that it can have."""
    codes = defaultdict(set)
    for status, code in refusals:
        codes[status].add(code)
    return {status: _problem(status, sorted(found)) for status, found in codes.items()}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    own = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, own]}
    described = {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "content": {PROBLEM: {"schema": schema}},
    }
    if status in (401, 429, 503):
        described["headers"] = dict([_header("WWW-Authenticate" if status == 401 else "Retry-After")])
    return described


def _exemplify(operation: dict[str, Any], examples: Mapping[str, BaseModel]) -> None:
    """Show each body by an example of its model, where there is one."""
    for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
        content = body.get("content", {}).get("application/json")
        if content is None:
            continue
        found = [name for name in _schemas_of(content["schema"]) if name in examples]
        if found:
            content["example"] = orjson.loads(_as_sent(examples[found[0]]))


def _schemas_of(schema: dict[str, Any]) -> Iterator[str]:
    for each in [schema, *schema.get("anyOf", [])]:
        if "$ref" in each:
            yield each["$ref"].rsplit("/", 1)[-1]


def _as_sent(model: BaseModel) -> bytes:
    """As the API's renderer writes it; a request is shown with what was chosen alone."""
    chosen = not model.model_config.get("frozen", False)
    return orjson.dumps(model.model_dump(by_alias=True, exclude_unset=chosen), option=orjson.OPT_UTC_Z)
