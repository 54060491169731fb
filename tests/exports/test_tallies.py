"""The audit counted once: the sums are those of a count of everything, at every moment."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from exports import lifecycle, statistics, sweep
from exports.models import ExportJob, Rollup, Tally, Transition, tallies
from exports.states import Status
from tests.jobs import download

pytestmark = pytest.mark.django_db(transaction=True)


def settle_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "SETTLED_AFTER", timedelta(0))


def moves() -> Counter[tuple[str, str, str]]:
    """Counted the long way."""
    return Counter(Transition.objects.values_list("from_status", "to_status", "reason"))


def counted() -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for each in tallies.counted():
        found[each.from_status, each.to_status, each.reason] += each.count
    return found


@pytest.mark.parametrize("state", ["job", "processing", "completed", "failed", "cancelled", "expired"])
def test_the_counts_are_the_same_before_and_after_they_are_added_up(
    state: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: ExportJob = request.getfixturevalue(state)
    before = moves()
    assert counted() == before
    settle_all(monkeypatch)
    tallies.add_up()
    assert Rollup.objects.get().up_to == Transition.objects.latest("id").pk
    assert counted() == before
    assert statistics.history().by_status() == {**dict.fromkeys(Status.values, 0), job.status: 1}


def test_nothing_is_counted_twice(completed: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_all(monkeypatch)
    tallies.add_up()
    tallies.add_up()
    download(completed.pk)
    tallies.add_up()
    assert counted() == moves()


def test_what_has_not_settled_is_not_added_up(completed: ExportJob) -> None:
    """A transaction that began before may still bring a row with a lower number."""
    tallies.add_up()
    assert Rollup.objects.get().up_to == 0
    assert not Tally.objects.exists()


def test_rows_after_the_first_unsettled_one_wait(job: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle.claim(job.pk)
    monkeypatch.setattr(tallies, "SETTLED_AFTER", timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE exports_transition SET at = at - interval '2 h' WHERE sequence = 2")
        cursor.execute("SET session_replication_role = DEFAULT")
    tallies.add_up()
    assert Rollup.objects.get().up_to == 0


def test_a_long_audit_is_added_up_in_parts(completed: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_all(monkeypatch)
    monkeypatch.setattr(tallies, "BATCH", 2)
    tallies.add_up()
    assert sum(Tally.objects.values_list("count", flat=True)) == 2
    tallies.add_up()
    assert counted() == moves()


def test_what_a_cancel_takes_from_a_completed_export_stays_counted(completed: ExportJob) -> None:
    lifecycle.cancel(completed.pk, lifecycle.actor(completed.user))
    moves = statistics.history()
    assert moves.count(from_status="processing", to_status="completed") == 1
    assert moves.by_status()["completed"] == 0


def test_times_are_those_of_the_rows(processing: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exports_exportjob SET created_at = created_at - interval '20 s',"
            " started_at = started_at - interval '2 min', version = version + 1"
        )
    lifecycle.cancel(processing.pk, lifecycle.actor(processing.user))
    wait = statistics.history().times(from_status="pending", to_status="processing")
    build = statistics.history().times(from_status="processing", to_status="cancelled")
    assert (wait.buckets.index(1), build.buckets.index(1)) == (7, 9)
    assert 20 <= wait.seconds < 30
    assert 120 <= build.seconds < 180
    assert build.cumulated()[8:10] == [(60.0, 0), (300.0, 1)]


def test_the_time_until_nothing_is_left_is_counted(cancelled: ExportJob) -> None:
    lifecycle.record_cleanup(cancelled.pk, 0)
    cleaned = statistics.history().times(from_status="cancelled", to_status="cancelled", reason="cleaned")
    assert sum(cleaned.buckets) == 1


def test_a_sweep_adds_up_and_is_noted(completed: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_all(monkeypatch)
    assert statistics.sweeps().last is None
    sweep.sweep()
    assert statistics.sweeps().last is not None
    assert Tally.objects.exists()


def test_removed_orphans_are_counted_with_their_bytes(settings: object) -> None:
    from exports import files

    for number in (1, 2):
        path = files._path(f"00000000-0000-4000-8000-00000000000{number}-1.zip")
        path.write_bytes(b"x" * 10)
        sweep.sweep()
    assert (statistics.sweeps().orphans_removed, statistics.sweeps().orphan_bytes) == (2, 20)


def test_losses_of_workers_are_counted(processing: ExportJob) -> None:
    lifecycle.requeue(processing.pk, timedelta(0))
    assert statistics.read().workers_lost == 1
