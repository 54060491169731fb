"""Every address of the site, as each of nine visitors meets it. A test goes through a whole table: that is quick."""

from __future__ import annotations

import pytest

from tests.security.rights import table
from tests.security.rights.addresses import of_lines, operations, route_of, routes
from tests.security.rights.asking import Answer, ask, ask_for_nothing, told
from tests.security.rights.stage import VISITORS, Stage
from tests.security.rights.table import Line

TABLES = {"api": table.lines(table.API), "pages": table.lines(table.PAGES)}
LINES = [line for lines in TABLES.values() for line in lines]
each_table = pytest.mark.parametrize("lines", TABLES.values(), ids=TABLES)


def where(line: Line, visitor: str) -> str:
    return f"{line.method} {line.template} by {visitor}"


@each_table
def test_a_table_holds(stage: Stage, lines: list[Line]) -> None:
    """A refusal writes nothing, and what may not be seen is answered as what does not exist."""
    wrong, written, telling = {}, {}, []
    for line, visitor in ((line, visitor) for line in lines for visitor in VISITORS):
        answer = ask(stage, visitor, line.method, line.template)
        if answer.said != line.expected[visitor]:
            wrong[where(line, visitor)] = f"{answer.said}, not {line.expected[visitor]}"
        if answer.is_refusal and answer.written():
            written[where(line, visitor)] = answer.written()
        if answer.status == 404 and is_told_apart(stage, line, visitor, answer):
            telling.append(where(line, visitor))
    assert (wrong, written, telling) == ({}, {}, [])


def is_told_apart(stage: Stage, line: Line, visitor: str, answer: Answer) -> bool:
    """By status, headers, body or the number of queries."""
    ids = [f"/{each}/" if isinstance(each, int) else str(each) for each in stage.known[visitor].values()]
    nothing = ask_for_nothing(stage, visitor, line.method, line.template)
    return told(answer, ids) != told(nothing, ids)


def test_every_address_has_its_line(stage: Stage) -> None:
    """Those of the admin are in `test_rights_admin`."""
    known = {route_of(stage, line) for line in LINES}
    assert {route for route in routes() if not route.startswith("admin/")} - known == set()


def test_every_operation_of_the_api_has_its_line() -> None:
    assert operations() - of_lines(LINES) == set()


def test_no_other_method_does_anything(stage: Stage) -> None:
    """Asked by the owner, who may do most."""
    routes_and_methods = {(route_of(stage, line), line.method): line for line in LINES}
    wrong = []
    for (route, taken), line in routes_and_methods.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {"GET" if taken == "HEAD" else taken}:
            if (route, method) not in routes_and_methods and route:
                answer = ask(stage, "owner", method, line.template)
                wrong += [where(line, method)] if answer.status >= 500 or answer.written() else []
    assert wrong == []


def test_a_look_at_the_head_is_no_way_around(stage: Stage) -> None:
    """Where it is answered at all it is answered as GET is, without a body."""
    wrong = []
    for line, visitor in ((line, visitor) for line in LINES for visitor in ("stranger", "viewer")):
        if line.method == "GET":
            answer = ask(stage, visitor, "HEAD", line.template)
            if answer.said not in ("405", line.expected[visitor]) or answer.body or answer.written():
                wrong.append(where(line, visitor))
    assert wrong == []
