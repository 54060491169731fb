"""People who change projects while they are exported, and one whose access comes and goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chaos.cast import Cast
from tests.chaos.course import Course, now

EDIT_EVERY = (1.5, 5.0)
ACCESS_EVERY = (4.0, 9.0)
OBJECTS = {"small": 4, "other": 4, "large": 30}
"""An image."""


class Editor:
    """Moves all images of a project to the next generation in one transaction: its class name tells which."""

    def __init__(self, course: Course, projects: dict[str, str]) -> None:
        self._course, self._projects = course, projects
        self._random = course.chance("editor")
        self._generation = 0

    def edit_all(self) -> None:
        for name in self._projects:
            self._edit(name)

    def live(self) -> None:
        while not self._course.over.is_set():
            self._course.pause(self._random.uniform(*EDIT_EVERY))
            if not self._course.draining.is_set():
                self._edit(self._random.choice(list(self._projects)))

    def _edit(self, name: str) -> None:
        """Noted only when it is certain to be committed."""
        self._generation += 1
        generation, project, began = self._generation, self._projects[name], now()
        _surely(self._course, lambda: _move_to(project, generation, OBJECTS[name]))
        self._course.note("edit", project=project, generation=generation, t0=began, t1=now())


class Doorkeeper:
    """Shows the visitor of one project the door, and lets them in again."""

    def __init__(self, course: Course, cast: Cast) -> None:
        self._course, self._visitor = course, cast.visitor.id
        self._project = cast.projects["small"]
        self._random = course.chance("doorkeeper")

    def live(self) -> None:
        is_allowed = True
        while not self._course.over.is_set():
            self._course.pause(self._random.uniform(*ACCESS_EVERY))
            is_allowed = not is_allowed
            self._set(is_allowed)
        if not is_allowed:
            self._set(True)

    def _set(self, is_allowed: bool) -> None:
        began = now()
        _surely(self._course, lambda: _set_access(self._project, self._visitor, is_allowed))
        about = {"user": self._visitor, "project": self._project, "allowed": is_allowed}
        self._course.note("access", **about, t0=began, t1=now())


def _surely(course: Course, change: Callable[[], None]) -> None:
    """Make a change that may be made twice; a database that is away is asked again."""
    from django.db import DatabaseError, InterfaceError, connection

    while True:
        try:
            change()
            return
        except (DatabaseError, InterfaceError):
            connection.close()
            course.pause(0.2)


def _move_to(project: str, generation: int, objects: int) -> None:
    """Nothing when it is there already: the commit before may have gone through unheard."""
    from django.db import transaction

    from projects.images import replace_segmentation
    from projects.models import Image

    with transaction.atomic():
        images = list(Image.objects.filter(project_id=project).select_related("segmentation").order_by("pk"))
        if images[0].segmentation and images[0].segmentation.class_names == [f"g{generation}"]:
            return
        for image in images:
            replace_segmentation(image, _outlined(generation, objects), None)


def _outlined(generation: int, objects: int) -> list[Any]:
    from projects.outlines import OutlinedObject

    corners = [(5 + 7 * (index % 8), 5 + 7 * (index // 8)) for index in range(objects)]
    squares = [[(x, y), (x + 5, y), (x + 5, y + 5), (x, y + 5)] for x, y in corners]
    return [OutlinedObject(parts=[[square]], class_name=f"g{generation}") for square in squares]


def _set_access(project: str, user: int, is_allowed: bool) -> None:
    from projects.models import Membership, Role

    if is_allowed:
        Membership.objects.get_or_create(project_id=project, user_id=user, defaults={"role": Role.EXPORTER})
    else:
        Membership.objects.filter(project_id=project, user_id=user).delete()
