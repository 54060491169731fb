"""A job's life as a model: Hypothesis plays users, workers of old and new attempts, and the sweep, against the
real database; after every step the promises are checked in SQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from exports import lifecycle
from exports.exceptions import Cancelled, ExportError, LostClaim
from exports.messages import Advance, Failure, PublishedFile
from exports.models import ExportJob, Transition
from exports.states import Status
from projects.models import Project
from tests.jobs import download, request_for

ATTEMPTS = st.integers(min_value=1, max_value=4)
FILE = PublishedFile("x.zip", 3, "0" * 64)
NEVER_MIND = suppress(ExportError)


class Life(RuleBasedStateMachine):
    """What was acknowledged is kept in plain Python; the row must never contradict it."""

    project: Project
    user: User

    def __init__(self) -> None:
        super().__init__()
        self.acked_cancel: int | None = None
        self.last_version = 0
        self.was_downloaded = False

    @initialize()
    def requested(self) -> None:
        for job in ExportJob.objects.active():
            lifecycle.cancel(job.pk, "test")
        self.job_id: UUID = lifecycle.request(request_for(self.project, self.user))[0].pk

    @rule()
    def claim(self) -> None:
        with NEVER_MIND:
            lifecycle.claim(self.job_id)

    @rule(attempt=ATTEMPTS)
    def beat(self, attempt: int) -> None:
        self._fenced(attempt, lambda: lifecycle.beat(self.job_id, attempt, Advance(7, "images", 1, 9, "")))

    @rule(attempt=ATTEMPTS)
    def complete(self, attempt: int) -> None:
        self._fenced(attempt, lambda: lifecycle.complete(self.job_id, attempt, FILE, []))

    @rule(attempt=ATTEMPTS)
    def fail(self, attempt: int) -> None:
        failure = Failure("build_failed", "No.", retryable=True)
        self._fenced(attempt, lambda: lifecycle.fail(self.job_id, attempt, failure))

    @rule(attempt=ATTEMPTS)
    def give_back(self, attempt: int) -> None:
        self._fenced(attempt, lambda: lifecycle.give_back(self.job_id, attempt))

    @rule()
    def lose_worker(self) -> None:
        with NEVER_MIND:
            lifecycle.requeue(self.job_id, timedelta(0))

    @rule()
    def cancel(self) -> None:
        with NEVER_MIND:
            version = lifecycle.cancel(self.job_id, "user:1").version
            self.acked_cancel = self.acked_cancel or version

    @rule()
    def download(self) -> None:
        refusal: ExportError | None = None
        try:
            download(self.job_id)
            self.was_downloaded = True
        except ExportError as error:
            refusal = error
        assert isinstance(refusal, Cancelled) == (self.acked_cancel is not None)

    @rule()
    def expire(self) -> None:
        with NEVER_MIND:
            lifecycle.expire(self.job_id, "deleted", "user:1")

    @rule()
    def clean(self) -> None:
        with NEVER_MIND:
            lifecycle.record_cleanup(self.job_id, 0)

    @invariant()
    def a_cancel_that_was_acknowledged_is_final(self) -> None:
        if self.acked_cancel is not None:
            row = self._row()
            assert (row.status, row.file_name) == (Status.CANCELLED, None)
            assert not self.was_downloaded

    @invariant()
    def versions_only_grow(self) -> None:
        if hasattr(self, "job_id"):
            assert self._row().version >= self.last_version
            self.last_version = self._row().version

    @invariant()
    def the_audit_replays_to_the_row(self) -> None:
        if hasattr(self, "job_id"):
            audit = list(Transition.objects.filter(job=self.job_id).order_by("sequence"))
            assert [each.sequence for each in audit] == list(range(1, self._row().sequence + 1))
            assert all(a.to_status == b.from_status for a, b in pairwise(audit))
            assert audit[-1].to_status == self._row().status

    def _row(self) -> ExportJob:
        return ExportJob.objects.get(pk=self.job_id)

    def _fenced(self, attempt: int, act: Callable[[], Any]) -> None:
        """An attempt that is not the one under way is refused, always."""
        before = self._row()
        is_its_own = (before.status, before.attempt) == (Status.PROCESSING, attempt)
        try:
            act()
            assert is_its_own
        except LostClaim:
            assert not is_its_own
            assert self._row().version == before.version


@pytest.mark.usefixtures("bell")
def test_no_order_of_events_breaks_a_promise(project: Project, alice: User) -> None:
    Life.project, Life.user = project, alice
    profile = settings(max_examples=25, stateful_step_count=25, suppress_health_check=list(HealthCheck))

    run_state_machine_as_test(Life, settings=profile)
