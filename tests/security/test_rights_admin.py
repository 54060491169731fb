"""The pages of the administration, as staff and all others meet them."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType

from tests.security.rights.addresses import routes
from tests.security.rights.administration import filled, of_staff
from tests.security.rights.asking import Answer, ask
from tests.security.rights.stage import Stage

METHODS = ("GET", "POST")
OPEN = {"admin/login/", "admin/logout/"}


def test_every_address_of_the_administration_has_its_line() -> None:
    assert {route for route in routes() if route.startswith("admin/")} == set(of_staff())


def test_staff_look_and_change_nothing(stage: Stage) -> None:
    wrong = {}
    for route, expected in of_staff().items():
        answers = [ask(stage, "staff", method, filled(stage, route)) for method in METHODS]
        if tuple(str(each.status) for each in answers) != expected or any(map(Answer.written, answers)):
            wrong[route] = [(each.status, each.written()) for each in answers]
    assert wrong == {}


@pytest.mark.parametrize("visitor", ["anonymous", "owner", "inactive"])
def test_all_others_are_sent_to_log_in(stage: Stage, visitor: str) -> None:
    wrong = []
    for route in set(of_staff()) - OPEN:
        for method in METHODS:
            answer = ask(stage, visitor, method, filled(stage, route))
            if not answer.headers.get("location", "").startswith("/admin/login/?next=/admin/"):
                wrong.append(f"{method} {route}")
            assert answer.written() == []
    assert wrong == []


def test_the_way_to_the_site_leads_there_or_nowhere(stage: Stage) -> None:
    """Of a model with an address; of an id that can be none; of one without an address; of one without a table."""
    kinds = {each.model: each.pk for each in ContentType.objects.all()}
    places = [("project", stage.known["owner"]["project"]), ("project", 1), ("user", 1), ("dashboard", 1)]
    answers = [ask(stage, "staff", "GET", f"/admin/r/{kinds[kind]}/{key}/").status for kind, key in places]
    assert answers == [302, 404, 404, 404]
