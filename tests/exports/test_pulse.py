"""The heartbeat goes on while the work is inside one long call, and a lost job ends such work too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError

from exports import lifecycle, pulse
from exports.exceptions import LostClaim
from exports.messages import Advance
from exports.models import ExportJob
from exports.pulse import Pulse
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
Beating = Callable[..., Pulse]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(pulse, "GRACE_SECONDS", 0.1)


@pytest.fixture
def given_up() -> list[str]:
    return []


@pytest.fixture
def beating(processing: ExportJob, given_up: list[str]) -> Iterator[Pulse]:
    with Pulse(processing, lambda: False, lambda: given_up.append("given up")) as running:
        yield running


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def test_silent_work_is_alive(beating: Pulse, processing: ExportJob) -> None:
    beating.show(Advance(40, "images", 4, 10, "Image 4"))
    until(lambda: fresh(processing).version > processing.version + 2)
    assert (fresh(processing).progress, fresh(processing).stage) == (40, "images")


def test_silent_work_that_was_cancelled_is_given_up(
    beating: Pulse, processing: ExportJob, given_up: list[str]
) -> None:
    lifecycle.cancel(processing.pk, "user:1")
    until(lambda: given_up)


def test_work_that_notices_is_not_given_up(
    beating: Pulse, processing: ExportJob, given_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "GRACE_SECONDS", 30)
    lifecycle.cancel(processing.pk, "user:1")
    with pytest.raises(LostClaim):
        until(lambda: beating.check())
    assert given_up == []


def test_a_database_that_was_away_is_tried_again(
    beating: Pulse, processing: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []

    def fail_twice(*arguments: object) -> None:
        if len(failures) < 2:
            failures.append("away")
            raise OperationalError("away")
        beat(*arguments)

    beat = lifecycle.beat
    monkeypatch.setattr(lifecycle, "beat", fail_twice)
    version = fresh(processing).version
    until(lambda: fresh(processing).version > version and len(failures) == 2)
