"""What a fresh database of a stack holds: `python -m tests.seeding USERS PROJECTS`, both as JSON, in its environment.

The first user owns all projects, the others may export them. Passwords are names. Prints a Seed as JSON.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import django


def main(names: list[str], projects: dict[str, dict[str, int]]) -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    users = {name: _user(name) for name in names}
    made = {name: _project(name, users, size) for name, size in projects.items()}
    print(json.dumps({"users": {name: _keys(user) for name, user in users.items()}, "projects": made}))


def _user(name: str) -> Any:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.contrib.auth.models import User

    is_staff = name == "admin"
    quickly = PBKDF2PasswordHasher().encode(name, "salt-of-the-tests", iterations=1)
    return User.objects.create(username=name, password=quickly, is_staff=is_staff, is_superuser=is_staff)


def _project(name: str, users: dict[str, Any], size: dict[str, int]) -> str:
    from projects import synthetic
    from projects.models import Membership, Role

    owner, *others = users.values()
    project = synthetic.create(name, owner, **size)
    Membership.objects.bulk_create(
        Membership(project=project, user=user, role=Role.EXPORTER) for user in others
    )
    return str(project.pk)


def _keys(user: Any) -> dict[str, Any]:
    """What `Seed` promises of a user."""
    from django.core.management import call_command

    printed = io.StringIO()
    call_command("create_api_token", user.username, stdout=printed)
    return {"id": user.pk, "token": printed.getvalue().strip(), "session": _session(user)}


def _session(user: Any) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
