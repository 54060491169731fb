"""G10 to G15: whatever dies, an accepted export ends, and a cancelled one stops."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MOVES = "tests/exports/test_lifecycle.py"
MORE = "tests/races/test_more_promises.py"
PULSE = "tests/exports/test_pulse.py"
SWEEP = "tests/exports/test_sweep.py"
WORKERS = "tests/faults/test_workers.py"

LOSSES = (
    Mutant(
        guarantee="G10",
        what="the call of a worker",
        file="exports/lifecycle.py",
        old="""events.announce(events.Queued, job)
        dispatch.ring_after_commit(job.pk, job.dispatch)
""",
        new="""events.announce(events.Queued, job)
""",
        tests=(f"{MOVES}::test_the_bell_rings_after_the_commit",),
    ),
    Mutant(
        guarantee="G10",
        what="the end of attempts that take too long",
        file="exports/sweep.py",
        old="overlong=_each(jobs.overlong(limit), lambda job_id: lifecycle.cancel_overlong(job_id, limit)),",
        new="overlong=0,",
        tests=(f"{SWEEP}::test_an_overlong_attempt_is_timed_out",),
    ),
    Mutant(
        guarantee="G10",
        what="the patience of the scheduler with a database that is away",
        file="exports/management/commands/sweep_exports.py",
        old="except DatabaseFault as error:",
        new="except KeyError as error:",
        tests=(f"{MORE}::test_a_pass_without_the_database_does_not_end_the_scheduler",),
    ),
    Mutant(
        guarantee="G11",
        what="ringing again for what Redis forgot",
        file="exports/sweep.py",
        old="forgotten=_ring_again(jobs.forgotten(RING_AGAIN_AFTER)),",
        new="forgotten=0,",
        tests=(
            f"{SWEEP}::test_a_job_whose_call_was_lost_is_rung_again",
            f"{WORKERS}::test_an_emptied_redis_loses_no_job",
        ),
    ),
    Mutant(
        guarantee="G11",
        what="a sweep that goes on while Redis is away",
        file="exports/sweep.py",
        old="except RedisError as error:",
        new="except KeyError as error:",
        tests=(f"{SWEEP}::test_the_sweep_goes_on_while_redis_is_away",),
    ),
    Mutant(
        guarantee="G12",
        what="the sweep of silent attempts",
        file="exports/sweep.py",
        old="abandoned=_each(jobs.abandoned(silence), lambda job_id: lifecycle.requeue(job_id, silence)),",
        new="abandoned=0,",
        tests=(
            f"{SWEEP}::test_a_silent_attempt_is_requeued",
            f"{WORKERS}::test_the_job_of_a_killed_worker_is_done_by_another",
        ),
    ),
    Mutant(
        guarantee="G12",
        what="the second look at the heartbeat, under the lock",
        file="exports/lifecycle.py",
        old="or job.heartbeat_at is None or now - job.heartbeat_at < silent_for:",
        new="or job.heartbeat_at is None:",
        tests=(f"{MOVES}::test_a_job_heard_of_in_time_is_left_alone",),
    ),
    Mutant(
        guarantee="G12",
        what="the heartbeat of work that is inside one long call",
        file="exports/pulse.py",
        old="self._beat_for_the_silent()",
        new="pass",
        tests=(f"{PULSE}::test_silent_work_is_alive",),
    ),
    Mutant(
        guarantee="G13",
        what="the kill of the work horse",
        file="exports/lifecycle.py",
        old="""    elif job.attempt:
        dispatch.stop_after_commit(job.pk, job.dispatch)
""",
        new="""    elif job.attempt:
""",
        tests=("tests/incidents/test_1_backend_race.py::test_a_cancel_stops_the_process_that_builds",),
    ),
    Mutant(
        guarantee="G13",
        what="the check for a cancel in the heartbeat",
        file="exports/lifecycle.py",
        old="""    if not beaten:
        raise exceptions.LostClaim
""",
        new="""    if not beaten:
        return
""",
        tests=(
            "tests/exports/test_build.py::test_a_cancel_is_seen_between_two_images",
            f"{WORKERS}::test_a_cancel_with_redis_down_ends_the_build_at_its_next_beat",
        ),
    ),
    Mutant(
        guarantee="G13",
        what="the end of work that does not come to notice",
        file="exports/pulse.py",
        old="self._give_up()",
        new="pass",
        tests=(f"{PULSE}::test_silent_work_that_was_cancelled_is_given_up",),
    ),
    Mutant(
        guarantee="G14",
        what="the kernel's signal at the worker's death",
        file="exports/worker.py",
        old="ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)",
        new="pass",
        tests=(f"{WORKERS}::test_no_horse_outlives_its_worker",),
    ),
    Mutant(
        guarantee="G15",
        what="the last attempt",
        file="exports/lifecycle.py",
        old="if job.losses >= settings.EXPORT_MAX_ATTEMPTS:",
        new="if False:",
        tests=(
            f"{MOVES}::test_the_last_lost_worker_fails_the_job",
            f"{WORKERS}::test_a_job_that_kills_its_worker_each_time_fails_after_the_last_attempt",
        ),
    ),
    Mutant(
        guarantee="G15",
        what="the exact number of attempts",
        file="exports/lifecycle.py",
        old="if job.losses >= settings.EXPORT_MAX_ATTEMPTS:",
        new="if job.losses > settings.EXPORT_MAX_ATTEMPTS:",
        tests=(f"{MOVES}::test_the_last_lost_worker_fails_the_job",),
    ),
)
