"""Migrations that compute: what was stored before counts as if it were stored today."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from projects.models import Project, Segmentation
from projects.outlines import OutlinedObject
from tests.conftest import add_image

SQUARE = [(0, 0), (9, 0), (9, 9), (0, 9)]
FAR = [(20, 20), (29, 20), (29, 29)]


def before(name: str) -> Any:
    """The models of then, on tables of then."""
    return MigrationExecutor(connection).migrate([("projects", name)]).apps


def migrate_all() -> None:
    """Also what builds on those of `projects`, in the other apps."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_losses_of_old_segmentations_are_counted_again(transactional_db: None, project: Project) -> None:
    objects = [OutlinedObject(parts=[[SQUARE], [FAR]]), OutlinedObject(parts=[[SQUARE]])]
    image = add_image(project, "old.png", objects)

    old = before("0003_removed_projects").get_model("projects", "Segmentation")
    assert old.objects.get(image=image.pk).part_count == 1
    migrate_all()

    found = Segmentation.objects.get(image=image)
    assert (found.multipart_count, found.overlap_count) == (1, 1)
    with pytest.raises(DatabaseError, match="Cannot update"):
        Segmentation.objects.filter(pk=found.pk).update(overlap_count=0)
