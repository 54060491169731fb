"""Snapshots larger than what a client may send."""

from __future__ import annotations

from collections.abc import Callable

from exports import lifecycle
from projects.models import Project
from tests.faults.conftest import Listener
from tests.jobs import request_for
from tests.processes import Running

MANY = 80


def test_a_snapshot_may_be_larger_than_what_a_client_may_send(
    daphne: Running, project: Project, listen_to: Callable[..., Listener], bell: object
) -> None:
    for number in range(MANY):
        request = request_for(project, project.owner, pixel_to_micrometer_scale=1 + number)
        lifecycle.cancel(lifecycle.request(request)[0].pk, lifecycle.actor(project.owner))

    stream = listen_to(daphne, project.owner, max_size=None)

    assert len(stream.hear_until("export:snapshot")["jobs"]) == MANY
