"""Who takes part and what they export, made in this process through the ORM."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

EXPORTERS = ("bob", "carol", "dan", "erin")
VISITOR = "frank"
"""May export, but is shown the door now and then."""
SIZES = {"small": (3, 64, 4), "other": (4, 64, 4), "large": (12, 320, 30)}
"""By project: images, their width in pixels, objects an image."""


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    key: str
    """For `Authorization: Bearer`."""


@dataclass(frozen=True)
class Cast:
    people: tuple[Person, ...]
    owner: Person
    visitor: Person
    projects: dict[str, str]
    """Ids by name."""
    staff_cookie: str


def assemble() -> Cast:
    """In an empty database."""
    from django.contrib.auth.models import User

    owner = _person("alice")
    others = {name: _person(name) for name in (*EXPORTERS, VISITOR)}
    projects = {name: _project(name, owner.id, others.values()) for name in SIZES}
    staff = User.objects.create_superuser("admin")
    return Cast((owner, *others.values()), owner, others[VISITOR], projects, _cookie(staff))


def _person(name: str) -> Person:
    from django.contrib.auth.models import User

    from tests.calling import key_of

    user = User.objects.create_user(name)
    return Person(user.pk, name, key_of(user, secrets.token_urlsafe(32)))


def _project(name: str, owner: int, exporters: Any) -> str:
    from django.contrib.auth.models import User

    from projects import synthetic
    from projects.models import Membership, Role

    made = synthetic.create(name, User.objects.get(pk=owner), *SIZES[name])
    for each in exporters:
        Membership.objects.create(project=made, user_id=each.id, role=Role.EXPORTER)
    return str(made.pk)


def _cookie(user: Any) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"
