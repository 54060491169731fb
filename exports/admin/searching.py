"""What is meant by a word in the lists: people, projects and ids. Each look is bounded, whatever was typed."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q

from projects.models import Project

MOST = 50  # people, or projects, that one word stands for
_BEGINNING = re.compile(r"[0-9a-f]{4,32}")  # shorter ones are the beginning of too many ids
_DIGITS = 32


def of_job(word: str) -> Q | None:
    """Exports that the word may mean: by id or its beginning, by their user, by their project."""
    found = [each for each in (_of_id(word), of_person(word), of_project(word)) if each is not None]
    return reduce(or_, found) if found else None


def of_person(word: str) -> Q | None:
    """Exports of the user of this name; when there is none, of those whose name or e-mail address has the word."""
    named = Q(username__icontains=word) | Q(email__icontains=word)
    people = list(User.objects.filter(named).order_by("username").values_list("pk", "username")[:MOST])
    exactly = [key for key, name in people if name == word]
    keys = exactly or [key for key, _ in people]
    return Q(user_id__in=keys) if keys else None


def of_project(word: str) -> Q | None:
    """Exports of the project with this id, or of those whose name has the word."""
    whole = _as_id(word)
    if whole:
        return Q(project_id=whole)
    keys = list(
        Project.objects.filter(name__icontains=word).order_by("name").values_list("pk", flat=True)[:MOST]
    )
    return Q(project_id__in=keys) if keys else None


def _of_id(word: str) -> Q | None:
    beginning = word.lower().replace("-", "")
    if not _BEGINNING.fullmatch(beginning):
        return None
    lowest, highest = (UUID(beginning.ljust(_DIGITS, digit)) for digit in "0f")
    return Q(pk__gte=lowest, pk__lte=highest)


def _as_id(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None
